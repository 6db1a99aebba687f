// What matrix_kernels_body.h and matrix_softmax_body.h are made of where the processor multiplies
// bf16 pairs (AVX512-BF16). Included inside a namespace by matrix_kernels.cpp.
//
// A tile of y is 8 rows by 48 columns: 24 registers of sums, 3 of the right matrix, and one number
// pair of the left matrix that is spread over a register.

using Form = ProductOutput::Form;
using Order = MatrixOperand::Order;

constexpr int64_t kMostRegisters = kPanelColumns / kLanes;
constexpr int64_t kRowsOfTile = kTileRows;
constexpr int64_t kLineRows = 32;  // numbers in a cache line
constexpr int64_t kLineStride = kLineRows;
constexpr int64_t kBlockRows = 64;

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

void multiply_tile(const LeftTile& left, int64_t rows, const uint32_t* panel, int64_t columns,
                   const ProductOutput& y) {
  kTiles[(columns + kLanes - 1) / kLanes - 1][rows - 1](left, panel, columns, y);
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

// A block of rows as they lie or, where rows run along k's outer side, packed into `memory`.
LeftTile left_tile(const MatrixOperand& left, MatrixRange rows, std::vector<uint32_t>& memory) {
  const int64_t pairs = left.pairs();
  if (left.order == Order::k_last) {
    return {left.values + rows.begin * left.stride, left.stride, 2, pairs, kTileRows * left.stride};
  }
  memory.resize(static_cast<size_t>(kBlockRows * pairs));
  pack_left(left, rows, memory.data());
  return {reinterpret_cast<const uint16_t*>(memory.data()), 2, 2 * kTileRows, pairs,
          2 * kTileRows * pairs};
}

// --- lanes of a softmax ---

SL_INLINE Lanes load_first(const float* p, int64_t count, Lanes others) {
  return _mm512_mask_loadu_ps(others, first_lanes(count), p);
}
SL_INLINE Lanes only_first(Lanes x, int64_t count) {
  return _mm512_maskz_mov_ps(first_lanes(count), x);
}
SL_INLINE Lanes larger(Lanes a, Lanes b) { return _mm512_max_ps(a, b); }
SL_INLINE float largest_of(Lanes x) { return _mm512_reduce_max_ps(x); }
SL_INLINE Lanes nearest_whole(Lanes x) {
  return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
// x 2^n, zero far below; of no number none.
SL_INLINE Lanes scaled_by_power(Lanes x, Lanes n) { return _mm512_scalef_ps(x, n); }
SL_INLINE void store_rounded(uint16_t* p, Lanes x) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), rounded(x));
}
