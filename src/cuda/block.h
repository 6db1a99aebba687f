#pragma once
// The block of threads in which a kernel of a GPU runs, as array_bodies.h asks for it, and what the
// kernels' launches share. For .cu files only.

#include "cuda/numbers.h"

#include <cstdint>
#include <cuda_runtime.h>

namespace sightline::gpu {

class GpuBlock {
 public:
  __device__ explicit GpuBlock(float* scratch) : scratch_(scratch) {}
  __device__ int64_t index() const { return blockIdx.x; }
  __device__ int thread() const { return static_cast<int>(threadIdx.x); }
  __device__ int threads() const { return static_cast<int>(blockDim.x); }
  __device__ void meet() const { __syncthreads(); }
  __device__ float other(float x, int mask) const { return __shfl_xor_sync(~0U, x, mask); }
  __device__ float* scratch() const { return scratch_; }

 private:
  float* scratch_;
};

// In a kernel: its block, with memory that the threads share.
#define SL_GPU_BLOCK(name)             \
  __shared__ float name##_scratch[32]; \
  const GpuBlock name(name##_scratch)

inline constexpr int kThreads = 256;

// Numbers that are loaded at once: 16 bytes of them.
template <class Number>
inline constexpr int kWidth = static_cast<int>(16 / sizeof(Number));

inline bool is_multiple(const void* address, int64_t bytes) {
  return reinterpret_cast<uintptr_t>(address) % static_cast<uintptr_t>(bytes) == 0;
}

// Whether arrays of `size` numbers, or rows of so many, can be read in packs of kWidth.
template <class Number, class... Arrays>
bool in_packs(int64_t size, const Arrays*... arrays) {
  return size % kWidth<Number> == 0 &&
         (is_multiple(arrays, kWidth<Number> * sizeof(*arrays)) && ...);
}

inline unsigned blocks_for(int64_t threads) {
  return static_cast<unsigned>((threads + kThreads - 1) / kThreads);
}

}  // namespace sightline::gpu
