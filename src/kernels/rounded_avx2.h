// What rounded_products_body.h is made of with AVX2: a row's numbers are kept as 16 bits, weights'
// bytes become such in registers, and pairs of products are summed by one instruction. Included
// inside a namespace by matrix_kernels.cpp, behind matrix_avx2.h.
//
// A tile is 6 rows by 8 columns; a column's four numbers of a unit make two sums, which are added
// when a group ends.

using RoundedNumber = int16_t;

constexpr int64_t kRoundedRows = 6;
constexpr int64_t kRoundedColumns = 8;
constexpr bool kHasOffsets = false;  // rows are signed

using Sizes = __m256i;
SL_INLINE Sizes no_sizes() { return _mm256_setzero_si256(); }
// The bits of each number without its sign, whichever is larger of the two.
SL_INLINE Sizes larger_bits(Sizes sizes, Lanes x) {
  const __m256i bits = _mm256_and_si256(_mm256_castps_si256(x), _mm256_set1_epi32(0x7fffffff));
  return _mm256_max_epi32(sizes, bits);
}
SL_INLINE int32_t largest_bits(Sizes sizes) {
  const __m128i four =
      _mm_max_epi32(_mm256_castsi256_si128(sizes), _mm256_extracti128_si256(sizes, 1));
  const __m128i two = _mm_max_epi32(four, _mm_shuffle_epi32(four, 0x4e));
  return _mm_cvtsi128_si32(_mm_max_epi32(two, _mm_shuffle_epi32(two, 0xb1)));
}

SL_INLINE void store_numbers(Lanes x, RoundedNumber* to) {
  const __m256i whole = _mm256_cvtps_epi32(x);
  const __m128i sixteen =
      _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), sixteen);
}

// Four columns' unit of four numbers.
SL_INLINE __m256i load_unit(const uint32_t* p) {
  return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
SL_INLINE __m256i spread_unit(const RoundedNumber* p) {
  int64_t unit;
  __builtin_memcpy(&unit, p, sizeof unit);
  return _mm256_set1_epi64x(unit);
}

// Adds the sums of pairs of products. Of the two as functions GCC 12 makes all products before it
// adds any, for which there are no registers.
SL_INLINE void add_products(__m256i& sum, __m256i a, __m256i b) {
  __m256i product;
  asm("vpmaddwd %2, %3, %1\n\tvpaddd %1, %0, %0" : "+x"(sum), "=&x"(product) : "x"(a), "x"(b));
}

void make_offsets(const uint32_t*, int64_t, int64_t, int32_t*) {}

template <int64_t kRows>
void rounded_tile(const RoundedRows& rows, int64_t row, const Panel& panel, int64_t column,
                  int64_t columns, const ProductOutput& y) {
  const int64_t stride = rows.groups * kWeightGroup;
  const RoundedNumber* x = static_cast<const RoundedNumber*>(rows.numbers) + row * stride;
  const float* scales = rows.scales + row * rows.groups;
  const uint32_t* units = panel.units + column;
  Lanes sums[kRows];
  each<kRows>([&](auto r) SL_INLINE_LAMBDA { sums[r] = _mm256_setzero_ps(); });
  for (int64_t g = 0; g < rows.groups; ++g, ++scales) {
    __m256i products[2 * kRows];
    each<2 * kRows>([&](auto i) SL_INLINE_LAMBDA { products[i] = _mm256_setzero_si256(); });
    for (int64_t u = 0; u < kUnits; ++u, units += panel.width, x += 4) {
      const __m256i first = load_unit(units), second = load_unit(units + 4);
      each<kRows>([&](auto r) SL_INLINE_LAMBDA {
        const __m256i spread = spread_unit(x + r * stride);
        add_products(products[2 * r], spread, first);
        add_products(products[2 * r + 1], spread, second);
      });
    }
    // What adding neighbours gives: columns 0 1 4 5 2 3 6 7.
    const __m256d weights = _mm256_castps_pd(load_fp32(panel.scales + g * panel.width + column));
    const Lanes crossed = _mm256_castpd_ps(_mm256_permute4x64_pd(weights, 0xd8));
    each<kRows>([&](auto r) SL_INLINE_LAMBDA {
      const __m256i both = _mm256_hadd_epi32(products[2 * r], products[2 * r + 1]);
      const Lanes scale = _mm256_broadcast_ss(scales + r * rows.groups) * crossed;
      sums[r] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(both), scale, sums[r]);
    });
  }
  const int64_t size = y.form == Form::rows_bf16 ? 2 : 4;
  const Lanes bias = y.bias == nullptr ? _mm256_setzero_ps() : widened(load8(y.bias, columns));
  each<kRows>([&](auto r) SL_INLINE_LAMBDA {
    const __m256d straight = _mm256_permute4x64_pd(_mm256_castps_pd(sums[r]), 0xd8);
    store_row(_mm256_castpd_ps(straight) + bias, y.form,
              static_cast<char*>(y.values) + (row + r) * y.stride * size, columns);
  });
}

using RoundedTile = void (*)(const RoundedRows&, int64_t, const Panel&, int64_t, int64_t,
                             const ProductOutput&);
constexpr RoundedTile kRoundedTiles[kRoundedRows] = {rounded_tile<1>, rounded_tile<2>,
                                                     rounded_tile<3>, rounded_tile<4>,
                                                     rounded_tile<5>, rounded_tile<6>};

SL_INLINE void multiply_rounded_tile(const RoundedRows& rows, int64_t row, int64_t count,
                                     const Panel& panel, int64_t column, int64_t columns,
                                     const ProductOutput& y) {
  kRoundedTiles[count - 1](rows, row, panel, column, columns, y);
}
