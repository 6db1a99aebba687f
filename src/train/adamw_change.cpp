#include "train/adamw_change.h"

#include <algorithm>
#include <cmath>

#include <ATen/TensorOperators.h>
#include <ATen/ops/div.h>
#include <ATen/ops/linalg_vector_norm.h>

namespace sightline {

double adamw_change(const at::Tensor& weight_after, const at::Tensor& first,
                    const at::Tensor& second, const AdamWStep& step) {
  constexpr int64_t kPiece = 1 << 19;
  const double first_share = 1.0 - std::pow(step.beta1, step.number);
  const double second_share = 1.0 - std::pow(step.beta2, step.number);
  const at::Tensor weight = weight_after.view({-1});
  const at::Tensor m = first.view({-1}), v = second.view({-1});
  double squares = 0;
  for (int64_t begin = 0; begin < weight.numel(); begin += kPiece) {
    const int64_t count = std::min(kPiece, weight.numel() - begin);
    at::Tensor change = (v.narrow(0, begin, count) / second_share).sqrt_().add_(step.epsilon);
    change = at::div_out(change, m.narrow(0, begin, count), change).div_(first_share);
    // after = before (1 - rate decay) - rate u, so before - after = rate (u + decay after) / (1 -
    // rate decay).
    if (step.decay > 0) change.add_(weight.narrow(0, begin, count), step.decay);
    const double norm = at::linalg_vector_norm(change).item<double>();
    squares += norm * norm;
  }
  const double scale = step.rate / (1.0 - step.rate * step.decay);
  return squares * scale * scale;
}

}  // namespace sightline
