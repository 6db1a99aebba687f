#include "train/master.h"

#include "base/error.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

namespace sightline {

namespace {

at::Tensor bits_of(const at::Tensor& weight) { return weight.detach().view(at::kShort); }

}  // namespace

Master Master::of(const at::Tensor& weight) {
  if (weight.scalar_type() != at::kBFloat16) return {weight, {}};
  return {weight,
          at::zeros(weight.sizes(), weight.options().dtype(at::kShort).requires_grad(false))};
}

at::Tensor Master::numbers() const {
  if (is_weight()) return weight.detach();
  return bits_of(weight).to(at::kInt).mul_(1 << 16).add_(rest).view(at::kFloat);
}

void Master::put(const at::Tensor& numbers) const {
  const c10::NoGradGuard no_grad;
  SL_ASSERT(numbers.scalar_type() == dtype(), "numbers of another type than the master");
  if (is_weight()) {
    weight.detach().copy_(numbers);
    return;
  }
  const at::Tensor bits = numbers.detach().view(at::kInt);
  const at::Tensor rounded = bits.add(1 << 15).bitwise_right_shift_(16);
  bits_of(weight).copy_(rounded);
  rest.copy_(bits.sub(rounded, 1 << 16));
}

Master Master::piece(int64_t begin, int64_t count) const {
  const auto row = [&](const at::Tensor& x) {
    return x.defined() ? x.detach().view({-1}).narrow(0, begin, count) : x;
  };
  return {row(weight), row(rest)};
}

}  // namespace sightline
