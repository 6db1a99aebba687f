#include "train/orthogonal.h"

#include "base/error.h"
#include "kernels/matrix_kernels.h"
#include "tensor/sum_type.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/baddbmm.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/linalg_vector_norm.h>

namespace sightline {

namespace {

// In fp32 where the library has only slow products of bf16.
at::ScalarType multiplied_as(at::ScalarType numbers, at::Device device) {
  const bool is_slow = numbers == at::kBFloat16 && device.is_cpu() && !library_multiplies_bf16();
  return is_slow ? at::kFloat : numbers;
}

}  // namespace

at::Tensor orthogonalized(const at::Tensor& matrices_BMN, at::ScalarType numbers) {
  SL_ASSERT(matrices_BMN.dim() == 3, "{} dimensions", matrices_BMN.dim());
  constexpr double kLinear = 3.4445, kCubic = -4.7750, kQuintic = 2.0315;
  constexpr int kSteps = 5;
  const bool is_tall = matrices_BMN.size(1) > matrices_BMN.size(2);
  at::Tensor x = matrices_BMN.to(sum_type(numbers));
  if (is_tall) x = x.transpose(1, 2);  // the products are then of the shorter side
  // The largest singular value is at most the Frobenius norm: all lie in (0, 1] from here.
  x = x / (at::linalg_vector_norm(x, 2, at::IntArrayRef{1, 2}, /*keepdim=*/true) + 1e-7);
  x = x.to(multiplied_as(numbers, x.device()));
  for (int i = 0; i < kSteps; ++i) {
    // a x + b (x x^T) x + c (x x^T)^2 x
    const at::Tensor square = at::bmm(x, x.transpose(1, 2));
    const at::Tensor factor = at::baddbmm(square, square, square, kCubic, kQuintic);
    x = at::baddbmm(x, factor, x, kLinear, 1.0);
  }
  x = x.to(numbers);
  return is_tall ? x.transpose(1, 2) : x;
}

}  // namespace sightline
