#pragma once
// The array kernels of a device that is not the CPU, for tensors of fp32 and bf16.

#include "kernels/cuda_kernels.h"

#include <cstdint>

#include <ATen/core/Tensor.h>
#include <c10/core/DeviceGuard.h>

namespace sightline {

// Null where there are none: LibTorch's operations serve then.
const CudaKernels* device_kernels(at::Device device);

// Gives a device kernels, or takes them away (null): for tests, on a device of theirs.
void set_device_kernels(c10::DeviceType type, const CudaKernels* kernels);

// Calls f(kernels, a number of their type) for x's numbers, with x's device as the current one.
template <class F>
void with_device_kernels(const at::Tensor& x, const F& f) {
  const c10::DeviceGuard guard(x.device());
  const CudaKernels& kernels = *device_kernels(x.device());
  if (x.scalar_type() == at::kFloat) {
    f(kernels.fp32, float{});
  } else {
    f(kernels.bf16, uint16_t{});
  }
}

}  // namespace sightline
