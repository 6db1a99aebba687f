// What rounded_products_body.h is made of with AVX512-VNNI, which sums the products of four bytes
// of a row, without sign, with four of a weight. A row's numbers are kept 128 higher for that, and
// what it adds is taken off each group's sum first. Included inside a namespace by
// matrix_kernels.cpp, behind matrix_avx512.h.
//
// A tile is 4 rows by 48 columns: 12 registers of whole numbers, 12 of sums, 3 of weights.

using RoundedNumber = uint8_t;

constexpr int64_t kRoundedRows = 4;
constexpr int64_t kRoundedColumns = kPanelColumns;
constexpr bool kHasOffsets = true;
constexpr int32_t kHigher = 128;

using Sizes = __m512i;
SL_INLINE Sizes no_sizes() { return _mm512_setzero_si512(); }
// The bits of each number without its sign, whichever is larger of the two.
SL_INLINE Sizes larger_bits(Sizes sizes, Lanes x) {
  const __m512i bits = _mm512_and_si512(_mm512_castps_si512(x), _mm512_set1_epi32(0x7fffffff));
  return _mm512_max_epi32(sizes, bits);
}
SL_INLINE int32_t largest_bits(Sizes sizes) { return _mm512_reduce_max_epi32(sizes); }

SL_INLINE void store_numbers(Lanes x, RoundedNumber* to) {
  const __m512i whole = _mm512_add_epi32(_mm512_cvtps_epi32(x), _mm512_set1_epi32(kHigher));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8(whole));
}

// What a group's sum begins with, of each column: -128 times the sum of its weights.
void make_offsets(const uint32_t* units, int64_t width, int64_t groups, int32_t* offsets) {
  const __m512i higher = _mm512_set1_epi8(static_cast<int8_t>(kHigher));
  for (int64_t g = 0; g < groups; ++g, units += kUnits * width, offsets += width) {
    for (int64_t j = 0; j < width; j += kLanes) {
      __m512i sum = _mm512_setzero_si512();
      for (int64_t u = 0; u < kUnits; ++u) {
        sum = _mm512_dpbusd_epi32(sum, higher, _mm512_loadu_si512(units + u * width + j));
      }
      _mm512_storeu_si512(offsets + j, _mm512_sub_epi32(_mm512_setzero_si512(), sum));
    }
  }
}

// All columns of the panel, which are as many registers.
template <int64_t kRows, int64_t kRegisters>
void rounded_tile(const RoundedRows& rows, int64_t row, const Panel& panel, int64_t columns,
                  const ProductOutput& y) {
  const int64_t stride = rows.groups * kWeightGroup;
  const RoundedNumber* x = static_cast<const RoundedNumber*>(rows.numbers) + row * stride;
  const float* scales = rows.scales + row * rows.groups;
  const uint32_t* units = panel.units;
  constexpr int64_t kWidth = kRegisters * kLanes;
  __m512 sums[kRows][kRegisters];
  for (int64_t r = 0; r < kRows; ++r) {
    for (int64_t j = 0; j < kRegisters; ++j) sums[r][j] = _mm512_setzero_ps();
  }
  for (int64_t g = 0; g < rows.groups; ++g, ++scales) {
    __m512i products[kRows][kRegisters];
    for (int64_t j = 0; j < kRegisters; ++j) {
      const __m512i offset = _mm512_loadu_si512(panel.offsets + g * kWidth + j * kLanes);
      for (int64_t r = 0; r < kRows; ++r) products[r][j] = offset;
    }
    for (int64_t u = 0; u < kUnits; ++u, units += kWidth, x += 4) {
      __m512i weights[kRegisters];
      for (int64_t j = 0; j < kRegisters; ++j) {
        weights[j] = _mm512_loadu_si512(units + j * kLanes);
      }
#pragma GCC unroll 4
      for (int64_t r = 0; r < kRows; ++r) {
        int32_t unit;
        __builtin_memcpy(&unit, x + r * stride, sizeof unit);
        const __m512i spread = _mm512_set1_epi32(unit);
        for (int64_t j = 0; j < kRegisters; ++j) {
          products[r][j] = _mm512_dpbusd_epi32(products[r][j], spread, weights[j]);
        }
      }
    }
    for (int64_t j = 0; j < kRegisters; ++j) {
      const __m512 of_weights = _mm512_loadu_ps(panel.scales + g * kWidth + j * kLanes);
      for (int64_t r = 0; r < kRows; ++r) {
        const __m512 scale = broadcast(scales[r * rows.groups]) * of_weights;
        sums[r][j] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(products[r][j]), scale, sums[r][j]);
      }
    }
  }
  for (int64_t j = 0; j < kRegisters && y.bias != nullptr; ++j) {
    const __mmask16 mask = first_lanes(columns - j * kLanes);
    for (int64_t r = 0; r < kRows; ++r) sums[r][j] += widened(load16(y.bias + j * kLanes, mask));
  }
  store_by_rows<kRows, kRegisters>(sums, columns, corner(y, row, 0));
}

using RoundedTile = void (*)(const RoundedRows&, int64_t, const Panel&, int64_t,
                             const ProductOutput&);
template <int64_t kRegisters>
constexpr RoundedTile kRoundedTilesOf[kRoundedRows] = {
    rounded_tile<1, kRegisters>, rounded_tile<2, kRegisters>, rounded_tile<3, kRegisters>,
    rounded_tile<4, kRegisters>};
// By registers and rows, less one.
constexpr const RoundedTile* kRoundedTiles[kMostRegisters] = {
    kRoundedTilesOf<1>, kRoundedTilesOf<2>, kRoundedTilesOf<3>};

SL_INLINE void multiply_rounded_tile(const RoundedRows& rows, int64_t row, int64_t count,
                                     const Panel& panel, int64_t, int64_t columns,
                                     const ProductOutput& y) {
  kRoundedTiles[panel.width / kLanes - 1][count - 1](rows, row, panel, columns, y);
}
