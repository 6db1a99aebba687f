#pragma once
// The array kernels (array_kernels.h) of a GPU: whole tensors, in its memory. They are compiled in
// the plugin of src/cuda. A call puts its work on LibTorch's current stream of the current device,
// which must be the tensors', and returns at once; where CUDA refuses it throws c10::Error.
//
// All is computed in fp32. Sums are taken in an order that the shapes alone decide, so that a call
// gives the same bits each time.
//
// Legend: T rows, D hidden size, H heads, d head size, B blocks of rows. Arrays are contiguous
// unless said otherwise.

#include "kernels/array_kernels.h"

#include <algorithm>
#include <cstdint>

namespace sightline {

// Blocks of rows by which the gradient of RMSNorm's weight is summed.
constexpr int64_t rms_norm_blocks(int64_t rows) { return std::clamp<int64_t>(rows, 1, 512); }

// Pieces by which AdamW sums up how far it moved.
constexpr int64_t kAdamWPiece = 4096;
constexpr int64_t adamw_pieces(int64_t size) { return (size + kAdamWPiece - 1) / kAdamWPiece; }

// `Number` is float, or uint16_t for bf16.
template <class Number>
struct CudaArrayKernels {
  // out = silu(gate) * up, elementwise.
  void (*swiglu)(const Number* gate, const Number* up, int64_t size, Number* out);
  void (*swiglu_backward)(const Number* gate, const Number* up, const Number* d_out, int64_t size,
                          Number* d_gate, Number* d_up);

  // x [T, H, d] -> out [T, H, d]: the two halves of each head turn by their row's angles, whose
  // cosines and sines are [T, d/2]. x's rows begin row_stride numbers apart. Backward is the turn
  // by the opposite sines.
  void (*rotate)(const Number* x, int64_t row_stride, const float* cos, const float* sin,
                 int64_t rows, int64_t heads, int64_t d, Number* out);

  // x [T, D], weight [D] -> out [T, D] = x * scale * weight, scale [T] = 1 / sqrt(mean(x^2) +
  // epsilon).
  void (*rms_norm)(const Number* x, const Number* weight, int64_t rows, int64_t size, float epsilon,
                   Number* out, float* scale);
  // d_x [T, D], and d_weight [rms_norm_blocks(T), D]: the sum over its rows is the weight's
  // gradient. Both are written over.
  void (*rms_norm_backward)(const Number* x, const Number* weight, const float* scale,
                            const Number* d_out, int64_t rows, int64_t size, Number* d_x,
                            float* d_weight);
};

// A step of AdamW over `size` numbers, as AdamWKernel takes it. squares [adamw_pieces(size)]: the
// sums of the squares of what the master moved by.
template <class Weight, class Gradient>
using CudaAdamW = void (*)(const AdamWNumbers& numbers, int64_t size, const Gradient* gradient,
                           Weight* weight, int16_t* rest, float* first, float* second,
                           double* squares);

struct CudaKernels {
  CudaArrayKernels<float> fp32;
  CudaArrayKernels<uint16_t> bf16;

  CudaAdamW<float, float> adamw_fp32;
  CudaAdamW<uint16_t, uint16_t> adamw_bf16;
  CudaAdamW<uint16_t, float> adamw_bf16_by_sums;
};

// Null where the plugin is missing or was built without a compiler for GPUs: LibTorch's own
// operations serve then.
const CudaKernels* cuda_kernels();

// What the plugin exports for it, under this name.
using CudaKernelTable = const CudaKernels*();
inline constexpr const char* kCudaKernelTable = "sightline_cuda_kernels";

}  // namespace sightline
