#pragma once

#include <ATen/core/Tensor.h>

namespace sightline {

// The sum of x's squares: one number on x's device. 16-bit numbers are squared in fp32; on the CPU
// the order of the sum is fixed, whatever the threads.
at::Tensor square_sum(const at::Tensor& x);

}  // namespace sightline
