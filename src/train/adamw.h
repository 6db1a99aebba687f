#pragma once
// A step of AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101) for one parameter, in one pass
// over its memory: the gradient is clipped, the moments and the master move, the 16-bit weight is
// copied from it, and how far it moved is summed up. A step's time is that of reading and writing
// its numbers; four passes took twice as long.

#include <ATen/core/Tensor.h>

namespace sightline {

struct AdamWStep {
  double rate = 0, decay = 0, beta1 = 0, beta2 = 0, epsilon = 0;
  double number = 1;          // of the step, from 1
  double gradient_scale = 1;  // of clipping
};

// All of one shape and contiguous. The master is the weight itself where that is not of 16 bits.
struct AdamWParameter {
  at::Tensor weight, master, gradient, first, second;
};

// Sum over the numbers of (master after - master before)^2, one number on the parameter's device.
// The gradient is left as it is or scaled.
at::Tensor adamw_step(const AdamWParameter& parameter, const AdamWStep& step);

// The definition, by LibTorch's fused step: it tells nothing of how far it moved, which is worked
// out from what it left behind.
at::Tensor plain_adamw_step(const AdamWParameter& parameter, const AdamWStep& step);

}  // namespace sightline
