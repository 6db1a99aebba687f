#include "kernels/matrix_kernels.h"

#include "kernels/rounded_products.h"
#include "kernels/scalar_functions.h"

#include <type_traits>
#include <vector>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define SL_HAS_X86_KERNELS
#define SL_INLINE_LAMBDA __attribute__((always_inline))
#include <immintrin.h>
// GCC 12 takes the undefined registers of its own AVX-512 header for a mistake of ours.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace sightline {

#ifdef SL_HAS_X86_KERNELS
namespace {

constexpr int64_t kColumnGroup = 16;  // panels are as wide as needed, in steps of this

SL_INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
SL_INLINE int64_t panel_width(int64_t columns) {
  return (columns + kColumnGroup - 1) / kColumnGroup * kColumnGroup;
}

// y from row m and column n on.
SL_INLINE ProductOutput corner(const ProductOutput& y, int64_t m, int64_t n) {
  const bool by_columns = y.form == ProductOutput::Form::columns_bf16;
  const bool is_bf16 = by_columns || y.form == ProductOutput::Form::rows_bf16;
  const int64_t at = by_columns ? n * y.stride + m : m * y.stride + n;
  ProductOutput from = y;
  from.values = static_cast<char*>(y.values) + at * (is_bf16 ? 2 : 4);
  if (y.bias != nullptr) from.bias += by_columns ? m : n;
  return from;
}

constexpr int64_t kUnits = kWeightGroup / 4;  // of four numbers along k, in a group

// Weights of up to 48 columns as the tiles of rounded products read them: a unit's columns side by
// side, and of each group the columns' scales and what a row's offset takes off their sums.
struct Panel {
  const uint32_t* units;
  const float* scales;
  const int32_t* offsets;
  int64_t width;
};

}  // namespace

#pragma GCC push_options
#pragma GCC target("arch=x86-64-v4", "avx512bf16", "avx512vnni")
namespace avx512 {
namespace {
#include "kernels/lanes_avx512.h"
#include "kernels/matrix_avx512.h"
#include "kernels/matrix_kernels_body.h"
#include "kernels/matrix_softmax_body.h"
#include "kernels/rounded_avx512.h"
#include "kernels/rounded_products_body.h"
}  // namespace
constexpr MatrixKernels kMatrices{"avx512bf16",     pack,     multiply, softmax,
                                  softmax_backward, &kRounded};
}  // namespace avx512
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("arch=x86-64-v3")
namespace avx2 {
namespace {
#include "kernels/lanes_avx2.h"
#include "kernels/matrix_avx2.h"
#include "kernels/matrix_kernels_body.h"
#include "kernels/matrix_softmax_body.h"
#include "kernels/rounded_avx2.h"
#include "kernels/rounded_products_body.h"
}  // namespace
constexpr MatrixKernels kMatrices{"avx2", pack, multiply, softmax, softmax_backward, &kRounded};
}  // namespace avx2
#pragma GCC pop_options
#endif

std::span<const MatrixKernels* const> matrix_kernels() {
  static const std::vector<const MatrixKernels*> available = [] {
    std::vector<const MatrixKernels*> list;
#ifdef SL_HAS_X86_KERNELS
    if (__builtin_cpu_supports("x86-64-v4") && __builtin_cpu_supports("avx512bf16") &&
        __builtin_cpu_supports("avx512vnni")) {
      list.push_back(&avx512::kMatrices);
    }
    if (__builtin_cpu_supports("x86-64-v3")) list.push_back(&avx2::kMatrices);
#endif
    return list;
  }();
  return available;
}

const MatrixKernels* preferred_matrix_kernels() {
#ifdef SL_HAS_X86_KERNELS
  if (__builtin_cpu_supports("amx-bf16")) return nullptr;
  // oneDNN multiplies bf16 wherever there is AVX-512, at twice the rate of AVX2's fp32.
  const bool pairs = __builtin_cpu_supports("avx512bf16");
  if (__builtin_cpu_supports("x86-64-v4") && !pairs) return nullptr;
  return matrix_kernels().empty() ? nullptr : matrix_kernels().front();
#else
  return nullptr;
#endif
}

bool library_multiplies_bf16() {
#ifdef SL_HAS_X86_KERNELS
  return __builtin_cpu_supports("x86-64-v4");
#else
  return true;
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
