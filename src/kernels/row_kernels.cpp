#include "kernels/row_kernels.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define SL_HAS_X86_KERNELS
#include <immintrin.h>
// GCC 12 takes the undefined registers of its own AVX-512 header for a mistake of ours.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#define SL_INLINE [[gnu::always_inline]] inline

// The loops over single numbers are the compiler's to make wide, and at -O2 it makes few so.
#pragma GCC optimize("O3")

namespace sightline {
namespace {

// Weights are read once, in order, by rows too short for the hardware to look far ahead: int8 came
// at 10 of 21 GB/s without this, at 15 with it. fp32 rows are long enough.
SL_INLINE void prefetch(const void* p) {
  constexpr int64_t kAhead = 4096;  // bytes
  __builtin_prefetch(static_cast<const char*>(p) + kAhead, 0, 0);
}

SL_INLINE float float_of_bf16(uint16_t x) {
  return std::bit_cast<float>(static_cast<uint32_t>(x) << 16);
}

SL_INLINE uint16_t bf16_of_float(float x) {
  const auto bits = std::bit_cast<uint32_t>(x);
  const uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  return static_cast<uint16_t>(x == x ? rounded : 0x7fc0);
}

// e^x within two units of the last place where the result is a normal number, else 0 or infinity;
// without a branch, so that loops over it become wide. 2^n times e^r, |r| <= ln(2)/2, with Cephes'
// polynomial (expf.c).
SL_INLINE float exponential(float x) {
  constexpr float kNoFraction = 1.5F * (1 << 23);
  const float bounded = std::min(std::max(-87.33654F, x), 88.72283F);
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
  const auto power = [](int32_t e) { return std::bit_cast<float>((e + 127) << 23); };
  const float result = p * power(half) * power(whole - half);
  return x < -87.33654F ? 0.0F : x != x ? x : result;
}

}  // namespace

#ifdef SL_HAS_X86_KERNELS
#pragma GCC push_options
#pragma GCC target("arch=x86-64-v4")
namespace avx512 {
namespace {
#include "kernels/lanes_avx512.h"
#include "kernels/row_kernels_body.h"
}  // namespace
constexpr RowKernels kKernels{"avx512", products, rms_norm, swiglu, rotate, attend, to_bf16};
}  // namespace avx512
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("arch=x86-64-v3")
namespace avx2 {
namespace {
#include "kernels/lanes_avx2.h"
#include "kernels/row_kernels_body.h"
}  // namespace
constexpr RowKernels kKernels{"avx2", products, rms_norm, swiglu, rotate, attend, to_bf16};
}  // namespace avx2
#pragma GCC pop_options
#endif

namespace plain {
namespace {
#include "kernels/lanes_plain.h"
#include "kernels/row_kernels_body.h"
}  // namespace
constexpr RowKernels kKernels{"plain", products, rms_norm, swiglu, rotate, attend, to_bf16};
}  // namespace plain

const RowKernels& plain_row_kernels() { return plain::kKernels; }

std::span<const RowKernels* const> row_kernels() {
  static const std::vector<const RowKernels*> available = [] {
    std::vector<const RowKernels*> list;
#ifdef SL_HAS_X86_KERNELS
    if (__builtin_cpu_supports("x86-64-v4")) list.push_back(&avx512::kKernels);
    if (__builtin_cpu_supports("x86-64-v3")) list.push_back(&avx2::kKernels);
#endif
    list.push_back(&plain::kKernels);
    return list;
  }();
  return available;
}

}  // namespace sightline
