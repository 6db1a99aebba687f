#include "kernels/row_kernels.h"

#include "kernels/scalar_functions.h"

#include <algorithm>
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

// The loops over single numbers are the compiler's to make wide, and at -O2 it makes few so.
#ifndef __clang__
#pragma GCC optimize("O3")
#endif

namespace sightline {
namespace {

// Weights are read once, in order, by rows too short for the hardware to look far ahead: int8 came
// at 10 of 21 GB/s without this, at 15 with it. fp32 rows are long enough.
SL_INLINE void prefetch(const void* p) {
  constexpr int64_t kAhead = 4096;  // bytes
  __builtin_prefetch(static_cast<const char*>(p) + kAhead, 0, 0);
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
