#pragma once
// How far an AdamW step moved a parameter, from what the step left behind: the fused step itself
// tells nothing, and a copy of the weights before it would cost their memory again.

#include <ATen/core/Tensor.h>

namespace sightline {

struct AdamWStep {
  double rate = 0, decay = 0, beta1 = 0, beta2 = 0, epsilon = 0;
  double number = 1;  // of the step, from 1
};

// Sum over the numbers of (weight after - weight before)^2; `first` and `second` are the moments
// after the step. In pieces: its own memory is a few MiB.
double adamw_change(const at::Tensor& weight_after, const at::Tensor& first,
                    const at::Tensor& second, const AdamWStep& step);

}  // namespace sightline
