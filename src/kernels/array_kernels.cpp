#include "kernels/array_kernels.h"

#include "kernels/scalar_functions.h"

#include <cmath>
#include <vector>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define SL_HAS_X86_KERNELS
#endif

// The loops are the compiler's to make wide, and at -O2 it makes few so.
#ifndef __clang__
#pragma GCC optimize("O3")
#endif

namespace sightline {

#ifdef SL_HAS_X86_KERNELS
#pragma GCC push_options
#pragma GCC target("arch=x86-64-v4", "prefer-vector-width=512")
namespace avx512 {
namespace {
#include "kernels/array_kernels_body.h"
}  // namespace
constexpr ArrayKernelSet kArrays{"avx512", kernels_of<float>(), kernels_of<uint16_t>(), kAdamW};
}  // namespace avx512
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("arch=x86-64-v3")
namespace avx2 {
namespace {
#include "kernels/array_kernels_body.h"
}  // namespace
constexpr ArrayKernelSet kArrays{"avx2", kernels_of<float>(), kernels_of<uint16_t>(), kAdamW};
}  // namespace avx2
#pragma GCC pop_options
#endif

namespace plain {
namespace {
#include "kernels/array_kernels_body.h"
}  // namespace
constexpr ArrayKernelSet kArrays{"plain", kernels_of<float>(), kernels_of<uint16_t>(), kAdamW};
}  // namespace plain

std::span<const ArrayKernelSet* const> array_kernels() {
  static const std::vector<const ArrayKernelSet*> available = [] {
    std::vector<const ArrayKernelSet*> list;
#ifdef SL_HAS_X86_KERNELS
    if (__builtin_cpu_supports("x86-64-v4")) list.push_back(&avx512::kArrays);
    if (__builtin_cpu_supports("x86-64-v3")) list.push_back(&avx2::kArrays);
#endif
    list.push_back(&plain::kArrays);
    return list;
  }();
  return available;
}

}  // namespace sightline
