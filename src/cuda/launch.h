#pragma once
// Puts the kernels on a stream. The arguments are those of kernels/cuda_kernels.h; whether a launch
// was taken cudaGetLastError() tells. Sizes of 0 put nothing there.

#include "kernels/cuda_kernels.h"

#include <cstdint>
#include <cuda_runtime_api.h>

namespace sightline::gpu {

template <class Number>
void launch_swiglu(cudaStream_t stream, const Number* gate, const Number* up, int64_t size,
                   Number* out);

template <class Number>
void launch_swiglu_backward(cudaStream_t stream, const Number* gate, const Number* up,
                            const Number* d_out, int64_t size, Number* d_gate, Number* d_up);

template <class Number>
void launch_rotate(cudaStream_t stream, const Number* x, int64_t row_stride, const float* cos,
                   const float* sin, int64_t rows, int64_t heads, int64_t d, Number* out);

template <class Number>
void launch_rms_norm(cudaStream_t stream, const Number* x, const Number* weight, int64_t rows,
                     int64_t size, float epsilon, Number* out, float* scale);

template <class Number>
void launch_rms_norm_backward(cudaStream_t stream, const Number* x, const Number* weight,
                              const float* scale, const Number* d_out, int64_t rows, int64_t size,
                              Number* d_x, float* d_weight);

template <class Number>
void launch_store(cudaStream_t stream, const CudaCache<Number>& cache, const Number* k,
                  const Number* v);

template <class Number>
void launch_attend(cudaStream_t stream, const CudaCache<Number>& cache, const Number* q,
                   float scale, float* parts, Number* out);

template <class Weight, class Gradient>
void launch_adamw(cudaStream_t stream, const AdamWNumbers& numbers, int64_t size,
                  const Gradient* gradient, Weight* weight, int16_t* rest, float* first,
                  float* second, double* squares);

}  // namespace sightline::gpu
