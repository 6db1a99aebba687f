#include "train/square_sum.h"

#include "kernels/array_kernels.h"
#include "tensor/sum_type.h"
#include "train/piece_sums.h"

#include <ATen/ops/linalg_vector_norm.h>

namespace sightline {

namespace {

template <class Number>
at::Tensor by_kernel(double (*kernel)(const Number*, int64_t), const at::Tensor& x) {
  const auto* const from = static_cast<const Number*>(x.const_data_ptr());
  return sum_of_pieces(x.numel(),
                       [&](int64_t begin, int64_t count) { return kernel(from + begin, count); });
}

}  // namespace

at::Tensor square_sum(const at::Tensor& x) {
  if (x.is_cpu() && x.is_contiguous()) {
    const ArrayKernelSet& kernels = *array_kernels().front();
    if (x.scalar_type() == at::kFloat) return by_kernel(kernels.fp32.squares, x);
    if (x.scalar_type() == at::kBFloat16) return by_kernel(kernels.bf16.squares, x);
  }
  return at::linalg_vector_norm(x, 2, c10::nullopt, /*keepdim=*/false, sum_type(x.scalar_type()))
      .square();
}

}  // namespace sightline
