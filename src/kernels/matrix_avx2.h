// What matrix_kernels_body.h and matrix_softmax_body.h are made of where the processor multiplies
// no bf16 pairs: each pair's two numbers become fp32 in registers, an operation apiece, and are
// multiplied as those (AVX2 and FMA). Included inside a namespace by matrix_kernels.cpp.
//
// Tiles are 6 rows by 16 columns: 12 registers of sums, so that none waits for itself, 2 of the
// right matrix, and a number of the left one that is spread over a register. Left matrices are
// always packed, as fp32, so that spreading is a load.

constexpr int64_t kRowsOfTile = 6;
constexpr int64_t kMostRegisters = 2;
constexpr int64_t kLineRows = 48;
constexpr int64_t kLineStride = kLineRows + 2;  // a last tile writes eight numbers of six rows
constexpr int64_t kBlockRows = 48;

using Form = ProductOutput::Form;
using Order = MatrixOperand::Order;

SL_INLINE Lanes first_of_pairs(__m256i pairs) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(pairs, 16));
}
SL_INLINE Lanes second_of_pairs(__m256i pairs) {
  return _mm256_castsi256_ps(_mm256_and_si256(pairs, _mm256_set1_epi32(-65536)));
}
SL_INLINE __m256i load_pairs(const void* p) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}
// All ones in the first `count` lanes.
SL_INLINE __m256i first_lanes(int64_t count) {
  const auto most = static_cast<int32_t>(count < 0 ? 0 : least(count, kLanes));
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(most), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
// The first `count` of eight numbers, zeros behind them; no more is read.
SL_INLINE __m128i load8(const uint16_t* p, int64_t count) {
  __m128i x = _mm_setzero_si128();
  if (count >= kLanes) return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  if (count > 0) __builtin_memcpy(&x, p, static_cast<size_t>(count) * sizeof *p);
  return x;
}
SL_INLINE Lanes widened(__m128i x) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(x), 16));
}
// To the nearest, to the even one of two.
SL_INLINE __m128i rounded(Lanes x) {
  const __m256i bits = _mm256_castps_si256(x);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const __m256i sum = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
  const __m256i no_number = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
  const __m256i both =
      _mm256_srli_epi32(_mm256_blendv_epi8(sum, _mm256_set1_epi32(0x7fc00000), no_number), 16);
  return _mm_packus_epi32(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1));
}

// --- packing ---

// Rows k and k + 1, side by side: columns in groups of 16, each group's pairs at `to`.
SL_INLINE void interleave(const uint16_t* row, const uint16_t* next, int64_t columns,
                          uint32_t* to) {
  const int64_t width = panel_width(columns);
  for (int64_t j = 0; j < width; j += kLanes) {
    const __m128i first = load8(row + j, columns - j);
    const __m128i second = next == nullptr ? _mm_setzero_si128() : load8(next + j, columns - j);
    auto* const pairs = reinterpret_cast<__m128i*>(to + j);
    _mm_storeu_si128(pairs, _mm_unpacklo_epi16(first, second));
    _mm_storeu_si128(pairs + 1, _mm_unpackhi_epi16(first, second));
  }
}

// Eight registers as the rows of a square of 32-bit numbers: its columns.
SL_INLINE void transpose(Lanes (&r)[8]) {
  Lanes t[8];
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
  }
  for (int i = 0; i < 8; i += 4) {
    r[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
    r[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
    r[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    r[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
  }
  for (int i = 0; i < 4; ++i) {
    t[i] = _mm256_permute2f128_ps(r[i], r[i + 4], 0x20);
    t[i + 4] = _mm256_permute2f128_ps(r[i], r[i + 4], 0x31);
  }
  for (int i = 0; i < 8; ++i) r[i] = t[i];
}

// `columns` rows of numbers along k, at most 16, become 16 columns of pairs, `width` apart.
SL_INLINE void turn(const uint16_t* from, int64_t stride, int64_t columns, int64_t pairs,
                    int64_t width, uint32_t* to) {
  for (int64_t group = 0; group < kColumnGroup; group += kLanes) {
    for (int64_t p = 0; p < pairs; p += kLanes) {
      Lanes r[8];
      for (int64_t i = 0; i < kLanes; ++i) {
        const auto* const row = reinterpret_cast<const float*>(from + (group + i) * stride + 2 * p);
        r[i] = group + i < columns ? _mm256_maskload_ps(row, first_lanes(pairs - p))
                                   : _mm256_setzero_ps();
      }
      transpose(r);
      for (int64_t i = 0; i < kLanes && p + i < pairs; ++i) {
        _mm256_storeu_ps(reinterpret_cast<float*>(to + (p + i) * width + group), r[i]);
      }
    }
  }
}

// --- the left matrix ---

// Number k of row r stands at numbers[r * row_stride + k * k_stride].
struct LeftTile {
  const float* numbers;
  int64_t row_stride, k_stride;
  int64_t pairs;
  int64_t next;  // to the same of the next 6 rows
};

// Rows in fp32, one behind the other; what pads k to a pair is zero.
void widen_rows(const MatrixOperand& left, MatrixRange rows, int64_t row_stride, float* to) {
  for (int64_t row = rows.begin; row < rows.end; ++row, to += row_stride) {
    const uint16_t* const from = left.values + row * left.stride;
    for (int64_t k = 0; k < left.k; k += kLanes) {
      store(to + k, widened(load8(from + k, left.k - k)));
    }
  }
}

// Rows that run along k's outer side, in sixes: of each k the numbers of six rows side by side.
void pack_sixes(const MatrixOperand& left, MatrixRange rows, int64_t next, float* to) {
  const int64_t padded = 2 * left.pairs();
  for (int64_t k = 0; k < padded; ++k, to += kRowsOfTile) {
    for (int64_t row = rows.begin; row < rows.end; row += kRowsOfTile) {
      float* const six = to + (row - rows.begin) / kRowsOfTile * next;
      const uint16_t* const from = left.values + k * left.stride + row;
      const Lanes x = k < left.k ? widened(load8(from, rows.end - row)) : _mm256_setzero_ps();
      _mm_storeu_ps(six, _mm256_castps256_ps128(x));
      _mm_storel_pi(reinterpret_cast<__m64*>(six + 4), _mm256_extractf128_ps(x, 1));
    }
  }
}

// A block of rows as fp32, in `memory`.
LeftTile left_tile(const MatrixOperand& left, MatrixRange rows, std::vector<uint32_t>& memory) {
  const int64_t numbers = 2 * left.pairs();
  if (left.order == Order::k_last) {
    // A cache line more than whole registers: rows of a power of two would push one another out.
    const int64_t row_stride = (numbers + kLanes - 1) / kLanes * kLanes + 16;
    memory.resize(static_cast<size_t>(kBlockRows * row_stride));
    auto* const widened_rows = reinterpret_cast<float*>(memory.data());
    widen_rows(left, rows, row_stride, widened_rows);
    return {widened_rows, row_stride, 1, left.pairs(), kRowsOfTile * row_stride};
  }
  memory.resize(static_cast<size_t>(kBlockRows * numbers));
  auto* const packed = reinterpret_cast<float*>(memory.data());
  pack_sixes(left, rows, kRowsOfTile * numbers, packed);
  return {packed, 1, kRowsOfTile, left.pairs(), kRowsOfTile * numbers};
}

// --- tiles ---

// Four sums of each of eight columns, which lie one behind the other in a column of y.
SL_INLINE void store_columns(const Lanes (&sums)[4], uint16_t* to, int64_t stride, int64_t count) {
  const Lanes a = _mm256_unpacklo_ps(sums[0], sums[1]), b = _mm256_unpackhi_ps(sums[0], sums[1]);
  const Lanes c = _mm256_unpacklo_ps(sums[2], sums[3]), d = _mm256_unpackhi_ps(sums[2], sums[3]);
  // Columns i and i + 4.
  const Lanes both[4] = {_mm256_shuffle_ps(a, c, 0x44), _mm256_shuffle_ps(a, c, 0xee),
                         _mm256_shuffle_ps(b, d, 0x44), _mm256_shuffle_ps(b, d, 0xee)};
  for (int64_t i = 0; i < 4; ++i) {
    const __m128i four = rounded(both[i]);
    auto* const first = reinterpret_cast<__m128i*>(to + i * stride);
    auto* const second = reinterpret_cast<__m128i*>(to + (i + 4) * stride);
    if (i < count) _mm_storel_epi64(first, four);
    if (i + 4 < count) _mm_storel_epi64(second, _mm_unpackhi_epi64(four, four));
  }
}

SL_INLINE void store_row(Lanes sum, Form form, void* to, int64_t count) {
  if (form == Form::rows_bf16) {
    const __m128i row = rounded(sum);
    const auto bytes = static_cast<size_t>(least(count, kLanes)) * sizeof(uint16_t);
    if (count >= kLanes) {
      _mm_storeu_si128(static_cast<__m128i*>(to), row);
    } else {
      __builtin_memcpy(to, &row, bytes);
    }
    return;
  }
  auto* const numbers = static_cast<float*>(to);
  const __m256i mask = first_lanes(count);
  if (form == Form::added_fp32) sum += _mm256_maskload_ps(numbers, mask);
  _mm256_maskstore_ps(numbers, mask, sum);
}

// Calls f with each number below `count` as a constant, so that what it indexes stays in registers.
template <int64_t count, class F>
SL_INLINE void each(const F& f) {
  if constexpr (count > 0) {
    each<count - 1>(f);
    f(std::integral_constant<int64_t, count - 1>());
  }
}

// sum += a b. As a function of the compiler's, GCC 12 spreads all rows' numbers before it
// multiplies any, for which there are no registers.
SL_INLINE void add_product(Lanes& sum, Lanes a, Lanes b) {
  asm("vfmadd231ps %1, %2, %0" : "+x"(sum) : "x"(a), "x"(b));
}

// The sums of a tile whose panel's pairs of one k are `width` apart from the next's.
template <int64_t kRows, int64_t kRegisters>
SL_INLINE void sum_tile(const LeftTile& left, const uint32_t* panel, int64_t width,
                        Lanes (&to)[kRowsOfTile][kRegisters]) {
  Lanes sums[kRows * kRegisters];
  each<kRows * kRegisters>([&](auto i) SL_INLINE_LAMBDA { sums[i] = _mm256_setzero_ps(); });
  const float* x = left.numbers;
  for (int64_t p = 0; p < left.pairs; ++p, panel += width) {
    each<2>([&](auto second) SL_INLINE_LAMBDA {
      Lanes right[kRegisters];
      each<kRegisters>([&](auto j) SL_INLINE_LAMBDA {
        const __m256i pairs = load_pairs(panel + j * kLanes);
        right[j] = second == 0 ? first_of_pairs(pairs) : second_of_pairs(pairs);
      });
      each<kRows>([&](auto r) SL_INLINE_LAMBDA {
        const Lanes spread = _mm256_broadcast_ss(x + r * left.row_stride);
        each<kRegisters>([&](auto j) SL_INLINE_LAMBDA {
          add_product(sums[r * kRegisters + j], spread, right[j]);
        });
      });
      x += left.k_stride;
    });
  }
  each<kRows>([&](auto r) SL_INLINE_LAMBDA {
    each<kRegisters>([&](auto j) SL_INLINE_LAMBDA { to[r][j] = sums[r * kRegisters + j]; });
  });
}

// `y` begins at the tile's corner.
template <int64_t kRows, int64_t kRegisters>
void tile(const LeftTile& left, const uint32_t* panel, int64_t width, int64_t columns,
          const ProductOutput& y) {
  const bool by_columns = y.form == Form::columns_bf16;
  Lanes sums[kRowsOfTile][kRegisters] = {};
  sum_tile<kRows, kRegisters>(left, panel, width, sums);
  for (int64_t j = 0; j < kRegisters; ++j) {
    const int64_t count = columns - j * kLanes;
    for (int64_t r = 0; r < kRows && y.bias != nullptr; ++r) {
      sums[r][j] += by_columns ? broadcast(float_of_bf16(y.bias[r]))
                               : widened(load8(y.bias + j * kLanes, count));
    }
    if (by_columns) {
      // Two numbers more than six: the next tile's, which is computed after this one, or none's.
      for (int64_t r = 0; r < kRows; r += 4) {
        const Lanes none = _mm256_setzero_ps();
        const Lanes four[4] = {sums[r][j], sums[r + 1][j], r > 0 ? none : sums[2][j],
                               r > 0 ? none : sums[3][j]};
        store_columns(four, static_cast<uint16_t*>(y.values) + j * kLanes * y.stride + r, y.stride,
                      count);
      }
      continue;
    }
    const int64_t size = y.form == Form::rows_bf16 ? 2 : 4;
    for (int64_t r = 0; r < kRows; ++r) {
      store_row(sums[r][j], y.form,
                static_cast<char*>(y.values) + (r * y.stride + j * kLanes) * size, count);
    }
  }
}

using Tile = void (*)(const LeftTile&, const uint32_t*, int64_t, int64_t, const ProductOutput&);

template <int64_t kRegisters>
constexpr Tile kTilesOf[kRowsOfTile] = {tile<1, kRegisters>, tile<2, kRegisters>,
                                        tile<3, kRegisters>, tile<4, kRegisters>,
                                        tile<5, kRegisters>, tile<6, kRegisters>};
// By registers and rows, less one.
constexpr const Tile* kTiles[kMostRegisters] = {kTilesOf<1>, kTilesOf<2>};

void multiply_tile(const LeftTile& left, int64_t rows, const uint32_t* panel, int64_t columns,
                   const ProductOutput& y) {
  const int64_t width = panel_width(columns);
  for (int64_t n = 0; n < columns;) {
    const int64_t registers = (columns - n + kLanes - 1) / kLanes;
    const int64_t taken = least(registers, kMostRegisters);
    kTiles[taken - 1][rows - 1](left, panel + n, width, least(columns - n, taken * kLanes),
                                corner(y, 0, n));
    n += taken * kLanes;
  }
}

// --- lanes of a softmax ---

SL_INLINE Lanes load_first(const float* p, int64_t count, Lanes others) {
  return _mm256_blendv_ps(others, load_fp32(p), _mm256_castsi256_ps(first_lanes(count)));
}
SL_INLINE Lanes only_first(Lanes x, int64_t count) {
  return _mm256_and_ps(x, _mm256_castsi256_ps(first_lanes(count)));
}
SL_INLINE Lanes larger(Lanes a, Lanes b) { return _mm256_max_ps(a, b); }
SL_INLINE float largest_of(Lanes x) {
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps(two, two, 1)));
}
SL_INLINE Lanes nearest_whole(Lanes x) {
  return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
// x 2^n, zero where n is below what a normal number has; of no number none.
SL_INLINE Lanes scaled_by_power(Lanes x, Lanes n) {
  const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
  const Lanes power = _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23));
  const Lanes is_there = _mm256_cmp_ps(n, broadcast(-126.0F), _CMP_NLT_UQ);
  return _mm256_and_ps(x * power, is_there);
}
SL_INLINE void store_rounded(uint16_t* p, Lanes x) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), rounded(x));
}
