#include "cuda/array_bodies.h"
#include "cuda/block.h"
#include "cuda/launch.h"
#include "kernels/cuda_kernels.h"

namespace sightline::gpu {

namespace {

template <int width, class Number>
__global__ void rms_norm_kernel(const Number* x, const Number* weight, int64_t size, float epsilon,
                                Number* out, float* scale) {
  SL_GPU_BLOCK(block);
  rms_norm<width>(block, x, weight, size, epsilon, out, scale);
}

template <int width, class Number>
__global__ void rms_norm_backward_kernel(const Number* x, const Number* weight, const float* scale,
                                         const Number* d_out, int64_t rows, int64_t block_rows,
                                         int64_t size, Number* d_x, float* d_weight) {
  SL_GPU_BLOCK(block);
  extern __shared__ float sums[];
  rms_norm_backward<width>(block, x, weight, scale, d_out, rows, block_rows, size, d_x, d_weight,
                           sums);
}

// What a block has without asking.
constexpr int64_t kSharedBytes = 32 << 10;

}  // namespace

template <class Number>
void launch_rms_norm(cudaStream_t stream, const Number* x, const Number* weight, int64_t rows,
                     int64_t size, float epsilon, Number* out, float* scale) {
  if (rows == 0) return;
  const bool whole = in_packs<Number>(size, x, weight, out);
  const auto kernel = whole ? rms_norm_kernel<kWidth<Number>, Number> : rms_norm_kernel<1, Number>;
  kernel<<<static_cast<unsigned>(rows), kThreads, 0, stream>>>(x, weight, size, epsilon, out,
                                                               scale);
}

template <class Number>
void launch_rms_norm_backward(cudaStream_t stream, const Number* x, const Number* weight,
                              const float* scale, const Number* d_out, int64_t rows, int64_t size,
                              Number* d_x, float* d_weight) {
  const int64_t blocks = rms_norm_blocks(rows), block_rows = (rows + blocks - 1) / blocks;
  const bool whole = in_packs<Number>(size, x, weight, d_out, d_x, d_weight);
  const auto kernel = whole ? rms_norm_backward_kernel<kWidth<Number>, Number>
                            : rms_norm_backward_kernel<1, Number>;
  const int64_t bytes = size * static_cast<int64_t>(sizeof(float));
  if (bytes > kSharedBytes) {
    cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                         static_cast<int>(bytes));
  }
  kernel<<<static_cast<unsigned>(blocks), kThreads, static_cast<size_t>(bytes), stream>>>(
      x, weight, scale, d_out, rows, block_rows, size, d_x, d_weight);
}

#define SL_FOR(Number)                                                                             \
  template void launch_rms_norm(cudaStream_t, const Number*, const Number*, int64_t, int64_t,      \
                                float, Number*, float*);                                           \
  template void launch_rms_norm_backward(cudaStream_t, const Number*, const Number*, const float*, \
                                         const Number*, int64_t, int64_t, Number*, float*);
SL_FOR(float)
SL_FOR(uint16_t)
#undef SL_FOR

}  // namespace sightline::gpu
