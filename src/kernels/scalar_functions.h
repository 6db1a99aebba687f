#pragma once
// Functions of one number that the kernels' loops are made of. Without branches and inlined always,
// so that the loops become wide in whatever instructions they are compiled for; and without calls
// into std, which are inlined too late for that.

#include <cstdint>

#define SL_INLINE [[gnu::always_inline]] inline

namespace sightline {

SL_INLINE float float_of_bf16(uint16_t x) {
  return __builtin_bit_cast(float, static_cast<uint32_t>(x) << 16);
}

// To the nearest, to the even one of two.
SL_INLINE uint16_t bf16_of_float(float x) {
  const auto bits = __builtin_bit_cast(uint32_t, x);
  const uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  const uint32_t is_no_number = 0U - static_cast<uint32_t>((bits & 0x7fffffff) > 0x7f800000);
  return static_cast<uint16_t>((rounded & ~is_no_number) | (0x7fc0 & is_no_number));
}

// One instruction where the compiler need not tell errno of negative numbers (no-math-errno).
SL_INLINE float square_root(float x) { return __builtin_sqrtf(x); }

SL_INLINE float power_of_two(int32_t exponent) {
  return __builtin_bit_cast(float, (exponent + 127) << 23);
}

// e^x within two units of the last place for x within [-87.3, 88.7], and beyond what it is at the
// nearer end (1e-38, 3e38); of what is no number, 1e-38. 2^n times e^r, |r| <= ln(2)/2, with
// Cephes' polynomial (expf.c).
SL_INLINE float exponential(float x) {
  constexpr float kNoFraction = 1.5F * (1 << 23);
  const float above = x > -87.33654F ? x : -87.33654F;
  const float bounded = above < 88.72283F ? above : 88.72283F;
  const float n = (bounded * 1.44269504F + kNoFraction) - kNoFraction;
  const float r = (bounded - n * 0.693359375F) + n * 2.12194440e-4F;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * r * r + r + 1.0F;
  // In two steps: 2^128 alone is no number.
  const auto whole = static_cast<int32_t>(n), half = whole / 2;
  return p * power_of_two(half) * power_of_two(whole - half);
}

SL_INLINE float sigmoid(float x) { return 1.0F / (1.0F + exponential(-x)); }

}  // namespace sightline
