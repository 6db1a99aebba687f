#include "train/square_sum.h"

#include "kernels/array_kernels.h"
#include "tensor/sum_type.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_vector_norm.h>

namespace sightline {

namespace {

template <class Number>
at::Tensor by_kernel(double (*kernel)(const Number*, int64_t), const at::Tensor& x) {
  constexpr int64_t kPiece = 1 << 16;
  const auto* const from = static_cast<const Number*>(x.const_data_ptr());
  const int64_t size = x.numel(), pieces = (size + kPiece - 1) / kPiece;
  std::vector<double> sums(static_cast<size_t>(pieces));
  at::parallel_for(0, pieces, 1, [&](int64_t begin, int64_t end) {
    for (int64_t piece = begin; piece < end; ++piece) {
      const int64_t at = piece * kPiece;
      sums[static_cast<size_t>(piece)] = kernel(from + at, std::min(kPiece, size - at));
    }
  });
  return at::full({}, std::accumulate(sums.begin(), sums.end(), 0.0), at::kDouble);
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
