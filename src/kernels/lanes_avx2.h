// Eight numbers in a register of AVX2. Included inside a namespace by row_kernels.cpp.

constexpr int64_t kLanes = 8;
using Lanes = __m256;

SL_INLINE Lanes broadcast(float x) { return _mm256_set1_ps(x); }
SL_INLINE Lanes load_fp32(const float* p) { return _mm256_loadu_ps(p); }
SL_INLINE Lanes load_bf16(const uint16_t* p) {
  const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16));
}
SL_INLINE Lanes load_int8(const int8_t* p) {
  const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes));
}
template <bool upper>
SL_INLINE Lanes load_int4(const uint8_t* p) {
  const __m128i both = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
  const __m128i bytes = _mm_and_si128(upper ? _mm_srli_epi16(both, 4) : both, _mm_set1_epi8(15));
  return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes));
}
SL_INLINE void store(float* p, Lanes x) { _mm256_storeu_ps(p, x); }
SL_INLINE Lanes multiply(Lanes a, Lanes b) { return _mm256_mul_ps(a, b); }
SL_INLINE Lanes multiply_add(Lanes a, Lanes b, Lanes c) { return _mm256_fmadd_ps(a, b, c); }
SL_INLINE float total(Lanes x) {
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}
