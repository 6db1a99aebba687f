#pragma once
// A step of AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101) for one parameter, in one pass
// over its memory: the gradient is clipped, the moments and the master move, the 16-bit weight with
// it (train/master.h), and how far it moved is summed up. A step's time is that of reading and
// writing its numbers; four passes took twice as long.

#include "train/master.h"

#include <ATen/core/Tensor.h>

namespace sightline {

struct AdamWStep {
  double rate = 0, decay = 0, beta1 = 0, beta2 = 0, epsilon = 0;
  double number = 1;          // of the step, from 1
  double gradient_scale = 1;  // of clipping
};

// All of one shape and contiguous.
struct AdamWParameter {
  Master master;
  at::Tensor gradient;  // in the weight's numbers or the master's; left as it is
  at::Tensor first, second;
};

// Sum over the numbers of (master after - master before)^2, one number on the parameter's device.
at::Tensor adamw_step(const AdamWParameter& parameter, const AdamWStep& step);

// The definition, by LibTorch's fused step: it tells nothing of how far it moved, which is worked
// out from what it left behind.
at::Tensor plain_adamw_step(const AdamWParameter& parameter, const AdamWStep& step);

}  // namespace sightline
