#include "cuda/array_bodies.h"
#include "cuda/block.h"
#include "cuda/launch.h"

namespace sightline::gpu {

namespace {

template <int width, class Number>
__global__ void swiglu_kernel(const Number* gate, const Number* up, int64_t packs, Number* out) {
  SL_GPU_BLOCK(block);
  swiglu<width>(block, gate, up, packs, out);
}

template <int width, class Number>
__global__ void swiglu_backward_kernel(const Number* gate, const Number* up, const Number* d_out,
                                       int64_t packs, Number* d_gate, Number* d_up) {
  SL_GPU_BLOCK(block);
  swiglu_backward<width>(block, gate, up, d_out, packs, d_gate, d_up);
}

template <int width, class Number>
__global__ void rotate_kernel(const Number* x, int64_t row_stride, const float* cos,
                              const float* sin, int heads, int d, Number* out) {
  SL_GPU_BLOCK(block);
  rotate<width>(block, x, row_stride, cos, sin, heads, d, out);
}

}  // namespace

template <class Number>
void launch_swiglu(cudaStream_t stream, const Number* gate, const Number* up, int64_t size,
                   Number* out) {
  if (size == 0) return;
  if (in_packs<Number>(size, gate, up, out)) {
    const int64_t packs = size / kWidth<Number>;
    swiglu_kernel<kWidth<Number>><<<blocks_for(packs), kThreads, 0, stream>>>(gate, up, packs, out);
  } else {
    swiglu_kernel<1><<<blocks_for(size), kThreads, 0, stream>>>(gate, up, size, out);
  }
}

template <class Number>
void launch_swiglu_backward(cudaStream_t stream, const Number* gate, const Number* up,
                            const Number* d_out, int64_t size, Number* d_gate, Number* d_up) {
  if (size == 0) return;
  if (in_packs<Number>(size, gate, up, d_out, d_gate, d_up)) {
    const int64_t packs = size / kWidth<Number>;
    swiglu_backward_kernel<kWidth<Number>>
        <<<blocks_for(packs), kThreads, 0, stream>>>(gate, up, d_out, packs, d_gate, d_up);
  } else {
    swiglu_backward_kernel<1>
        <<<blocks_for(size), kThreads, 0, stream>>>(gate, up, d_out, size, d_gate, d_up);
  }
}

// In packs of four: 16 bytes of the angles, which are fp32 always.
template <class Number>
void launch_rotate(cudaStream_t stream, const Number* x, int64_t row_stride, const float* cos,
                   const float* sin, int64_t rows, int64_t heads, int64_t d, Number* out) {
  if (rows == 0 || heads == 0) return;
  constexpr int kFour = 4, kThreadsOfRow = 128;
  const bool whole = d % (2 * kFour) == 0 && row_stride % kFour == 0 &&
                     is_multiple(x, kFour * sizeof(*x)) && is_multiple(out, kFour * sizeof(*out)) &&
                     is_multiple(cos, kFour * sizeof(*cos)) &&
                     is_multiple(sin, kFour * sizeof(*sin));
  const auto kernel = whole ? rotate_kernel<kFour, Number> : rotate_kernel<1, Number>;
  kernel<<<static_cast<unsigned>(rows), kThreadsOfRow, 0, stream>>>(
      x, row_stride, cos, sin, static_cast<int>(heads), static_cast<int>(d), out);
}

#define SL_FOR(Number)                                                                            \
  template void launch_swiglu(cudaStream_t, const Number*, const Number*, int64_t, Number*);      \
  template void launch_swiglu_backward(cudaStream_t, const Number*, const Number*, const Number*, \
                                       int64_t, Number*, Number*);                                \
  template void launch_rotate(cudaStream_t, const Number*, int64_t, const float*, const float*,   \
                              int64_t, int64_t, int64_t, Number*);
SL_FOR(float)
SL_FOR(uint16_t)
#undef SL_FOR

}  // namespace sightline::gpu
