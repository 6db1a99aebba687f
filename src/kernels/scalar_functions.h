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

// A float as the bf16 nearest to it, the larger one in size of two as near, and what that rounding
// left, in units of its last place: nothing is lost. (To the even one of two, as elsewhere, the
// rest would need one value more than 16 bits have.)
struct RoundedWithRest {
  uint16_t rounded;
  int16_t rest;
};
SL_INLINE RoundedWithRest with_rest(float x) {
  const auto bits = __builtin_bit_cast(uint32_t, x);
  const uint32_t rounded = (bits + 0x8000) >> 16;
  return {static_cast<uint16_t>(rounded), static_cast<int16_t>(bits - (rounded << 16))};
}
SL_INLINE float joined(uint16_t rounded, int16_t rest) {
  const auto difference = static_cast<uint32_t>(static_cast<int32_t>(rest));
  return __builtin_bit_cast(float, (static_cast<uint32_t>(rounded) << 16) + difference);
}

// One instruction where the compiler need not tell errno of negative numbers (-fno-math-errno,
// CMakeLists.txt).
SL_INLINE float square_root(float x) { return __builtin_sqrtf(x); }

SL_INLINE float power_of_two(int32_t exponent) {
  return __builtin_bit_cast(float, (exponent + 127) << 23);
}

// Bounded by what its bits say, as whole numbers: of a choice between floats the compiler makes a
// path for each bound, and what those paths make of other numbers falls below the smallest normal
// one, which costs a hundred cycles a time.
SL_INLINE float bounded(float x, float most) {
  const auto bits = __builtin_bit_cast(uint32_t, x), bound = __builtin_bit_cast(uint32_t, most);
  const uint32_t size = bits & 0x7fffffff;
  return __builtin_bit_cast(float, (bits & 0x80000000) | (size < bound ? size : bound));
}

// e^x within two units of the last place for x within [-87, 87], and beyond what it is at the
// nearer end (1.6e-38, 6.1e37), of what is no number too. 2^n times e^r, |r| <= ln(2)/2, with
// Cephes' polynomial (expf.c).
SL_INLINE float exponential(float any) {
  constexpr float kNoFraction = 1.5F * (1 << 23);
  const float x = bounded(any, 87.0F);
  const float n = (x * 1.44269504F + kNoFraction) - kNoFraction;
  const float r = (x - n * 0.693359375F) + n * 2.12194440e-4F;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * r * r + r + 1.0F;
  return p * power_of_two(static_cast<int32_t>(n));
}

SL_INLINE float sigmoid(float x) { return 1.0F / (1.0F + exponential(-x)); }

}  // namespace sightline
