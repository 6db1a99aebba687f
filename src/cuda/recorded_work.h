#pragma once
// Work of LibTorch's operations and of our kernels as a CUDA graph.

#include "kernels/cuda_kernels.h"

#include <functional>
#include <memory>

namespace sightline::gpu {

// As CudaKernels::record. What the work allocates comes from memory that all recorded works share:
// they must not run side by side, and only what was allocated before may be read after them.
std::unique_ptr<RecordedWork> record(const std::function<void()>& work);

}  // namespace sightline::gpu
