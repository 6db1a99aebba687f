// Sixteen numbers in a register of AVX-512. Included inside a namespace by row_kernels.cpp.

constexpr int64_t kLanes = 16;
using Lanes = __m512;

SL_INLINE Lanes broadcast(float x) { return _mm512_set1_ps(x); }
SL_INLINE Lanes load_fp32(const float* p) { return _mm512_loadu_ps(p); }
SL_INLINE Lanes load_bf16(const uint16_t* p) {
  const __m256i halves = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
}
SL_INLINE Lanes load_int8(const int8_t* p) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes));
}
template <bool upper>
SL_INLINE Lanes load_int4(const uint8_t* p) {
  const __m128i both = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  const __m128i bytes = _mm_and_si128(upper ? _mm_srli_epi16(both, 4) : both, _mm_set1_epi8(15));
  return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes));
}
SL_INLINE void store(float* p, Lanes x) { _mm512_storeu_ps(p, x); }
SL_INLINE Lanes multiply(Lanes a, Lanes b) { return _mm512_mul_ps(a, b); }
SL_INLINE Lanes multiply_add(Lanes a, Lanes b, Lanes c) { return _mm512_fmadd_ps(a, b, c); }
SL_INLINE float total(Lanes x) { return _mm512_reduce_add_ps(x); }
