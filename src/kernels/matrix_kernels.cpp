#include "kernels/matrix_kernels.h"

#include "kernels/scalar_functions.h"

#include <vector>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define SL_HAS_X86_KERNELS
#include <immintrin.h>
// GCC 12 takes the undefined registers of its own AVX-512 header for a mistake of ours.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace sightline {

#ifdef SL_HAS_X86_KERNELS
#pragma GCC push_options
#pragma GCC target("arch=x86-64-v4", "avx512bf16")
namespace avx512 {
namespace {
#include "kernels/matrix_kernels_body.h"
}  // namespace
constexpr MatrixKernels kMatrices{pack, multiply, softmax, softmax_backward};
}  // namespace avx512
#pragma GCC pop_options
#endif

const MatrixKernels* matrix_kernels() {
#ifdef SL_HAS_X86_KERNELS
  static const bool can_run =
      __builtin_cpu_supports("x86-64-v4") && __builtin_cpu_supports("avx512bf16");
  if (can_run) return &avx512::kMatrices;
#endif
  return nullptr;
}

bool prefers_matrix_kernels() {
#ifdef SL_HAS_X86_KERNELS
  return matrix_kernels() != nullptr && !__builtin_cpu_supports("amx-bf16");
#else
  return false;
#endif
}

namespace {

// The numbers of row (or column) i, in the order of k.
std::vector<float> numbers_of(const MatrixOperand& x, int64_t i) {
  const bool rows = x.order == MatrixOperand::Order::k_last;
  std::vector<float> numbers;
  for (int64_t k = 0; k < x.k; ++k) {
    numbers.push_back(float_of_bf16(x.values[rows ? i * x.stride + k : k * x.stride + i]));
  }
  return numbers;
}

}  // namespace

void plain_multiply(const MatrixOperand& left, int64_t m, const MatrixOperand& right, int64_t n,
                    const ProductOutput& y) {
  using Form = ProductOutput::Form;
  const bool columns = y.form == Form::columns_bf16;
  for (int64_t row = 0; row < m; ++row) {
    const std::vector<float> x = numbers_of(left, row);
    for (int64_t column = 0; column < n; ++column) {
      const std::vector<float> w = numbers_of(right, column);
      float sum = 0;
      for (size_t k = 0; k < x.size(); ++k) sum += x[k] * w[k];
      if (y.bias != nullptr) sum += float_of_bf16(y.bias[columns ? row : column]);
      const int64_t at = columns ? column * y.stride + row : row * y.stride + column;
      if (y.form == Form::rows_fp32) {
        static_cast<float*>(y.values)[at] = sum;
      } else if (y.form == Form::added_fp32) {
        static_cast<float*>(y.values)[at] += sum;
      } else {
        static_cast<uint16_t*>(y.values)[at] = bf16_of_float(sum);
      }
    }
  }
}

}  // namespace sightline
