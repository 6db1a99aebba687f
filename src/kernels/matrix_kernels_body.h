// Products of matrices by dot products of bf16 pairs. Included inside a namespace by
// matrix_kernels.cpp.
//
// A tile of y is 8 rows by 48 columns: 24 registers of sums, 3 of the right matrix, and one number
// pair of the left matrix that is spread over a register.

using Form = ProductOutput::Form;
using Order = MatrixOperand::Order;

constexpr int64_t kLanes = 16;
constexpr int64_t kMostRegisters = kPanelColumns / kLanes;
constexpr int64_t kBlockRows = 64;
constexpr int64_t kLineRows = 32;  // numbers in a cache line

SL_INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

SL_INLINE __m512i widened_bits(__m256i x) { return _mm512_cvtepu16_epi32(x); }
SL_INLINE __m512 widened(__m256i x) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(widened_bits(x), 16));
}
SL_INLINE __mmask16 first_lanes(int64_t count) {
  return static_cast<__mmask16>(count >= kLanes ? 0xffff : (1U << count) - 1);
}
SL_INLINE __m256i load16(const uint16_t* p, __mmask16 mask) {
  return _mm256_maskz_loadu_epi16(mask, p);
}
SL_INLINE __m512bh as_pairs(__m512i x) { return __builtin_bit_cast(__m512bh, x); }
SL_INLINE __m256i rounded(__m512 x) { return __builtin_bit_cast(__m256i, _mm512_cvtneps_pbh(x)); }

// --- packing ---

// Rows k and k + 1, side by side: columns in groups of 16, each group's pairs at `to`.
SL_INLINE void interleave(const uint16_t* row, const uint16_t* next, int64_t columns,
                          uint32_t* to) {
  for (int64_t j = 0; j < columns; j += kLanes) {
    const __mmask16 mask = first_lanes(columns - j);
    const __m512i first = widened_bits(load16(row + j, mask));
    const __m512i second =
        next == nullptr ? _mm512_setzero_si512() : widened_bits(load16(next + j, mask));
    _mm512_storeu_si512(to + j, _mm512_or_si512(first, _mm512_slli_epi32(second, 16)));
  }
}

// Sixteen registers as the rows of a square of 32-bit numbers: its columns.
SL_INLINE void transpose(__m512i (&r)[16]) {
  __m512i t[16];
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
    r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
    r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
    r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
  for (int i = 0; i < 4; ++i) {
    t[i] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88);
    t[i + 4] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xdd);
    t[i + 8] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0x88);
    t[i + 12] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0xdd);
  }
  for (int i = 0; i < 4; ++i) {
    r[i] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88);
    r[i + 8] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd);
    r[i + 4] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0x88);
    r[i + 12] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0xdd);
  }
}

// `columns` rows of numbers along k, at most 16, become 16 columns of pairs, `width` apart.
SL_INLINE void turn(const uint16_t* from, int64_t stride, int64_t columns, int64_t pairs,
                    int64_t width, uint32_t* to) {
  for (int64_t p = 0; p < pairs; p += kLanes) {
    const __mmask16 mask = first_lanes(pairs - p);
    __m512i r[16];
    for (int64_t i = 0; i < 16; ++i) {
      r[i] = i < columns ? _mm512_maskz_loadu_epi32(mask, from + i * stride + 2 * p)
                         : _mm512_setzero_si512();
    }
    transpose(r);
    for (int64_t i = 0; i < 16 && p + i < pairs; ++i) {
      _mm512_storeu_si512(to + (p + i) * width, r[i]);
    }
  }
}

void pack(const MatrixOperand& right, int64_t n, uint32_t* packed) {
  for (int64_t first = 0; first < n; first += kPanelColumns) {
    const int64_t columns = least(n - first, kPanelColumns);
    const int64_t width = (columns + kLanes - 1) / kLanes * kLanes;
    uint32_t* to = packed + first * right.pairs();
    if (right.order == Order::k_last) {
      for (int64_t j = 0; j < columns; j += kLanes) {
        turn(right.values + (first + j) * right.stride, right.stride, least(columns - j, kLanes),
             right.pairs(), width, to + j);
      }
      continue;
    }
    for (int64_t k = 0; k < right.k; k += 2, to += width) {
      const uint16_t* const row = right.values + k * right.stride + first;
      interleave(row, k + 1 < right.k ? row + right.stride : nullptr, columns, to);
    }
  }
}

// --- tiles ---

// The pair p of row r stands at numbers[r * row_stride + p * pair_stride].
struct LeftTile {
  const uint16_t* numbers;
  int64_t row_stride, pair_stride;
  int64_t pairs;
  int64_t next;  // to the same of the next 8 rows
};

// y's rows of eight numbers: lane n of the eight registers, one after the other.
SL_INLINE void store_columns(const __m512 (&sums)[kTileRows], uint16_t* to, int64_t stride,
                             int64_t count) {
  __m512i pairs[4];
  for (int i = 0; i < 4; ++i) {
    pairs[i] = _mm512_or_si512(widened_bits(rounded(sums[2 * i])),
                               _mm512_slli_epi32(widened_bits(rounded(sums[2 * i + 1])), 16));
  }
  const __m512i a = _mm512_unpacklo_epi32(pairs[0], pairs[1]);
  const __m512i b = _mm512_unpackhi_epi32(pairs[0], pairs[1]);
  const __m512i c = _mm512_unpacklo_epi32(pairs[2], pairs[3]);
  const __m512i d = _mm512_unpackhi_epi32(pairs[2], pairs[3]);
  __m512i rows[4];  // row i: lanes i, i + 4, i + 8 and i + 12
  rows[0] = _mm512_unpacklo_epi64(a, c);
  rows[1] = _mm512_unpackhi_epi64(a, c);
  rows[2] = _mm512_unpacklo_epi64(b, d);
  rows[3] = _mm512_unpackhi_epi64(b, d);
  alignas(64) uint16_t lanes[4][4][8];
  for (int i = 0; i < 4; ++i) _mm512_store_si512(lanes[i], rows[i]);
  for (int64_t n = 0; n < count; ++n) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + n * stride),
                     _mm_load_si128(reinterpret_cast<const __m128i*>(lanes[n % 4][n / 4])));
  }
}

// `y` begins at the tile's corner.
template <int64_t kRows, int64_t kRegisters>
SL_INLINE void store_by_columns(const __m512 (&sums)[kRows][kRegisters], int64_t columns,
                                const ProductOutput& y) {
  for (int64_t j = 0; j < kRegisters; ++j) {
    auto* const to = static_cast<uint16_t*>(y.values) + j * kLanes * y.stride;
    const int64_t count = least(columns - j * kLanes, kLanes);
    __m512 eight[kTileRows];
    for (int64_t r = 0; r < kTileRows; ++r) eight[r] = r < kRows ? sums[r][j] : sums[0][j];
    store_columns(eight, to, y.stride, count);
  }
}

template <int64_t kRows, int64_t kRegisters>
SL_INLINE void store_by_rows(const __m512 (&sums)[kRows][kRegisters], int64_t columns,
                             const ProductOutput& y) {
  for (int64_t r = 0; r < kRows; ++r) {
    for (int64_t j = 0; j < kRegisters; ++j) {
      const __mmask16 mask = first_lanes(columns - j * kLanes);
      const int64_t at = r * y.stride + j * kLanes;
      __m512 sum = sums[r][j];
      if (y.form == Form::rows_bf16) {
        _mm256_mask_storeu_epi16(static_cast<uint16_t*>(y.values) + at, mask, rounded(sum));
        continue;
      }
      float* const to = static_cast<float*>(y.values) + at;
      if (y.form == Form::added_fp32) sum += _mm512_maskz_loadu_ps(mask, to);
      _mm512_mask_storeu_ps(to, mask, sum);
    }
  }
}

template <int64_t kRows, int64_t kRegisters>
void tile(const LeftTile& left, const uint32_t* panel, int64_t columns, const ProductOutput& y) {
  const bool by_columns = y.form == Form::columns_bf16;
  __m512 sums[kRows][kRegisters];
  for (int64_t r = 0; r < kRows; ++r) {
    for (int64_t j = 0; j < kRegisters; ++j) sums[r][j] = _mm512_setzero_ps();
  }
  const uint16_t* x = left.numbers;
  for (int64_t p = 0; p < left.pairs; ++p, x += left.pair_stride, panel += kRegisters * kLanes) {
    __m512bh right[kRegisters];
    for (int64_t j = 0; j < kRegisters; ++j) {
      right[j] = as_pairs(_mm512_loadu_si512(panel + j * kLanes));
    }
#pragma GCC unroll 8
    for (int64_t r = 0; r < kRows; ++r) {
      int32_t pair;
      __builtin_memcpy(&pair, x + r * left.row_stride, sizeof pair);
      const __m512bh spread = as_pairs(_mm512_set1_epi32(pair));
      for (int64_t j = 0; j < kRegisters; ++j) {
        sums[r][j] = _mm512_dpbf16_ps(sums[r][j], spread, right[j]);
      }
    }
  }
  for (int64_t r = 0; r < kRows && y.bias != nullptr; ++r) {
    for (int64_t j = 0; j < kRegisters; ++j) {
      sums[r][j] += by_columns
                        ? _mm512_set1_ps(float_of_bf16(y.bias[r]))
                        : widened(load16(y.bias + j * kLanes, first_lanes(columns - j * kLanes)));
    }
  }
  if (by_columns) {
    store_by_columns<kRows, kRegisters>(sums, columns, y);
  } else {
    store_by_rows<kRows, kRegisters>(sums, columns, y);
  }
}

using Tile = void (*)(const LeftTile&, const uint32_t*, int64_t, const ProductOutput&);

template <int64_t kRegisters>
constexpr Tile kTilesOf[kTileRows] = {tile<1, kRegisters>, tile<2, kRegisters>, tile<3, kRegisters>,
                                      tile<4, kRegisters>, tile<5, kRegisters>, tile<6, kRegisters>,
                                      tile<7, kRegisters>, tile<8, kRegisters>};
// By registers and rows, less one.
constexpr const Tile* kTiles[kMostRegisters] = {kTilesOf<1>, kTilesOf<2>, kTilesOf<3>};

// --- blocks of rows ---

// y from row m and column n on.
SL_INLINE ProductOutput corner(const ProductOutput& y, int64_t m, int64_t n) {
  const bool by_columns = y.form == Form::columns_bf16;
  const bool is_bf16 = by_columns || y.form == Form::rows_bf16;
  const int64_t at = by_columns ? n * y.stride + m : m * y.stride + n;
  ProductOutput from = y;
  from.values = static_cast<char*>(y.values) + at * (is_bf16 ? 2 : 4);
  if (y.bias != nullptr) from.bias += by_columns ? m : n;
  return from;
}

// Up to a cache line of rows, of one panel. By columns, the numbers are gathered to whole lines
// first: y's columns often lie where they push one another out of the cache.
void multiply_line(LeftTile left, int64_t rows, const uint32_t* panel, int64_t columns,
                   const ProductOutput& y) {
  const Tile* const of_rows = kTiles[(columns + kLanes - 1) / kLanes - 1];
  alignas(64) uint16_t lines[kPanelColumns][kLineRows];
  const bool by_columns = y.form == Form::columns_bf16;
  ProductOutput gathered = y;
  if (by_columns) gathered.values = lines, gathered.stride = kLineRows;
  for (int64_t m = 0; m < rows; m += kTileRows, left.numbers += left.next) {
    of_rows[least(rows - m, kTileRows) - 1](left, panel, columns, corner(gathered, m, 0));
  }
  for (int64_t n = 0; by_columns && n < columns; ++n) {
    __builtin_memcpy(static_cast<uint16_t*>(y.values) + n * y.stride, lines[n],
                     static_cast<size_t>(rows) * sizeof(uint16_t));
  }
}

// All columns of a block of rows: a panel of the right matrix is read once for all of them.
void multiply_block(const LeftTile& left, MatrixRange rows, const uint32_t* packed, int64_t n,
                    const ProductOutput& y) {
  for (int64_t first = 0; first < n; first += kPanelColumns) {
    LeftTile line = left;
    for (int64_t m = rows.begin; m < rows.end; m += kLineRows) {
      multiply_line(line, least(rows.end - m, kLineRows), packed + first * left.pairs,
                    least(n - first, kPanelColumns), corner(y, m, first));
      line.numbers += kLineRows / kTileRows * left.next;
    }
  }
}

// Rows k and k + 1 of a left matrix, eight numbers of them side by side.
SL_INLINE void interleave_tile(const uint16_t* row, const uint16_t* next, __mmask8 mask,
                               uint32_t* to) {
  const __m128i first = _mm_maskz_loadu_epi16(mask, row);
  const __m128i second = next == nullptr ? _mm_setzero_si128() : _mm_maskz_loadu_epi16(mask, next);
  const __m256i low = _mm256_castsi128_si256(_mm_unpacklo_epi16(first, second));
  const __m256i both = _mm256_inserti128_si256(low, _mm_unpackhi_epi16(first, second), 1);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), both);
}

// A block of rows in tiles of 8, each its pairs one behind the other.
void pack_left(const MatrixOperand& left, MatrixRange rows, uint32_t* packed) {
  const int64_t pairs = left.pairs(), count = rows.end - rows.begin;
  for (int64_t p = 0; p < pairs; ++p) {
    const uint16_t* const row = left.values + 2 * p * left.stride + rows.begin;
    const uint16_t* const next = 2 * p + 1 < left.k ? row + left.stride : nullptr;
    for (int64_t r = 0; r < count; r += kTileRows) {
      const auto mask =
          static_cast<__mmask8>(count - r < kTileRows ? (1U << (count - r)) - 1 : 0xff);
      interleave_tile(row + r, next == nullptr ? nullptr : next + r, mask,
                      packed + r * pairs + p * kTileRows);
    }
  }
}

void multiply(const MatrixOperand& left, MatrixRange rows, const uint32_t* packed_right, int64_t n,
              const ProductOutput& y) {
  const bool packs = left.order == Order::k_first;
  const int64_t pairs = left.pairs();
  std::vector<uint32_t> packed(packs ? static_cast<size_t>(kBlockRows * pairs) : 0);
  for (int64_t begin = rows.begin; begin < rows.end; begin += kBlockRows) {
    const MatrixRange block{begin, least(rows.end, begin + kBlockRows)};
    LeftTile tile{left.values + begin * left.stride, left.stride, 2, pairs,
                  kTileRows * left.stride};
    if (packs) {
      pack_left(left, block, packed.data());
      tile = {reinterpret_cast<const uint16_t*>(packed.data()), 2, 2 * kTileRows, pairs,
              2 * kTileRows * pairs};
    }
    multiply_block(tile, block, packed_right, n, y);
  }
}

// --- softmax between attention's products ---

// 2^x within two units of the last place, zero far below; of no number none. 2^n times a
// polynomial of the rest in [-1/2, 1/2] (Cephes' exp2f.c).
SL_INLINE __m512 power_of_two(__m512 x) {
  const __m512 n = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const __m512 r = _mm512_sub_ps(x, n);
  __m512 p = _mm512_set1_ps(1.535336188319500e-4F);
  for (const float next : {1.339887440266574e-3F, 9.618437357674640e-3F, 5.550332471162809e-2F,
                           2.402264791363012e-1F, 6.931472028550421e-1F, 1.0F}) {
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(next));
  }
  return _mm512_scalef_ps(p, n);
}

// Leaves e^(scale (score - the largest)) in place of the scores that are seen, zeros behind them to
// the end of the register, and returns one over their sum.
SL_INLINE float exponentials(float* scores, int64_t seen, float scale) {
  const __m512 unseen = _mm512_set1_ps(-3e38F);
  __m512 largest = unseen;
  for (int64_t i = 0; i < seen; i += kLanes) {
    const __mmask16 mask = first_lanes(seen - i);
    largest = _mm512_max_ps(largest, _mm512_mask_loadu_ps(unseen, mask, scores + i));
  }
  const __m512 factor = _mm512_set1_ps(scale * 1.44269504F);
  const __m512 most = _mm512_set1_ps(_mm512_reduce_max_ps(largest));
  __m512 sum = _mm512_setzero_ps();
  for (int64_t i = 0; i < seen; i += kLanes) {
    const __mmask16 mask = first_lanes(seen - i);
    const __m512 e =
        _mm512_maskz_mov_ps(mask, power_of_two((_mm512_loadu_ps(scores + i) - most) * factor));
    _mm512_storeu_ps(scores + i, e);
    sum = _mm512_add_ps(sum, e);
  }
  return 1.0F / _mm512_reduce_add_ps(sum);
}

SL_INLINE void store16(uint16_t* to, __m512 x) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), rounded(x));
}

void softmax(float* scores, int64_t seen, int64_t size, float scale, uint16_t* weights) {
  const __m512 inverse = _mm512_set1_ps(exponentials(scores, seen, scale));
  int64_t i = 0;
  for (; i < seen; i += kLanes) store16(weights + i, _mm512_loadu_ps(scores + i) * inverse);
  for (; i < size; i += kLanes) store16(weights + i, _mm512_setzero_ps());
}

void softmax_backward(float* scores, const float* d_weights, int64_t seen, int64_t size,
                      float scale, uint16_t* weights, uint16_t* d_scores) {
  const __m512 inverse = _mm512_set1_ps(exponentials(scores, seen, scale));
  __m512 sum = _mm512_setzero_ps();
  for (int64_t i = 0; i < seen; i += kLanes) {
    const __m512 d = _mm512_maskz_loadu_ps(first_lanes(seen - i), d_weights + i);
    sum = _mm512_fmadd_ps(_mm512_loadu_ps(scores + i), d, sum);
  }
  const __m512 pull = _mm512_set1_ps(_mm512_reduce_add_ps(sum)) * inverse;
  int64_t i = 0;
  for (; i < seen; i += kLanes) {
    const __m512 w = _mm512_loadu_ps(scores + i) * inverse;
    const __m512 d = _mm512_maskz_loadu_ps(first_lanes(seen - i), d_weights + i);
    store16(weights + i, w);
    store16(d_scores + i, w * (d - pull) * _mm512_set1_ps(scale));
  }
  for (; i < size; i += kLanes) {
    store16(weights + i, _mm512_setzero_ps());
    store16(d_scores + i, _mm512_setzero_ps());
  }
}
