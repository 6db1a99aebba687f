#pragma once
// Functions of a network that LibTorch computes operation by operation, each here in one pass over
// plain memory, with its backward; and AdamW's step with all that goes with it. Numbers are read
// and written as fp32 or bf16, and all is computed in fp32.
//
// Each is the work of one thread, compiled for AVX-512, for AVX2 and without either, as the row
// kernels are (row_kernels.h).

#include <cstdint>
#include <span>
#include <string_view>

namespace sightline {

// What a step of AdamW is made of (Loshchilov and Hutter 2019, arXiv 1711.05101).
struct AdamWNumbers {
  float gradient_scale = 1;  // of clipping
  float rate = 0, decay = 0, beta1 = 0, beta2 = 0, epsilon = 0;
  float first_share = 1, second_share = 1;  // 1 - beta^step
};

// `Number` is float, or uint16_t for bf16.
template <class Number>
struct ArrayKernels {
  // out = silu(gate) * up.
  void (*swiglu)(const Number* gate, const Number* up, int64_t size, Number* out);
  void (*swiglu_backward)(const Number* gate, const Number* up, const Number* d_out, int64_t size,
                          Number* d_gate, Number* d_up);

  // GELU by tanh, as at::gelu(x, "tanh").
  void (*gelu)(const Number* x, int64_t size, Number* out);
  void (*gelu_backward)(const Number* x, const Number* d_out, int64_t size, Number* d_x);

  // `heads` heads of d numbers, one behind the other: the two halves of each turn by the angles
  // whose d/2 cosines and sines are given. Backward is the turn by the opposite sines.
  void (*rotate)(const Number* x, const float* cos, const float* sin, int64_t heads, int64_t d,
                 Number* out);

  // out = x * scale * weight with scale = 1 / sqrt(mean(x^2) + epsilon), which is returned.
  float (*rms_norm)(const Number* x, const Number* weight, int64_t size, float epsilon,
                    Number* out);
  // d_x, and what this row adds to the weight's gradient.
  void (*rms_norm_backward)(const Number* x, const Number* weight, float scale, const Number* d_out,
                            int64_t size, Number* d_x, float* d_weight);

  // sum = x; sum += x.
  void (*widen)(const Number* x, int64_t size, float* sum);
  void (*accumulate)(const Number* x, int64_t size, float* sum);
  // The sum of their squares.
  double (*squares)(const Number* x, int64_t size);
};

// One pass over a parameter's numbers: clips the gradient, moves the moments and the weight. A bf16
// weight is the fp32 master rounded; `rest` holds what the rounding left (scalar_functions.h), and
// is null for fp32, whose weight is the master. Returns the sum of the squares of what the master
// moved by.
template <class Weight, class Gradient>
using AdamWKernel = double (*)(const AdamWNumbers& numbers, int64_t size, const Gradient* gradient,
                               Weight* weight, int16_t* rest, float* first, float* second);

// By weights and gradients: a bf16 weight's is in bf16 as backward leaves it, or a sum in fp32.
struct AdamWKernels {
  AdamWKernel<float, float> fp32;
  AdamWKernel<uint16_t, uint16_t> bf16;
  AdamWKernel<uint16_t, float> bf16_by_sums;
};

struct ArrayKernelSet {
  std::string_view name;  // avx512 | avx2 | plain
  ArrayKernels<float> fp32;
  ArrayKernels<uint16_t> bf16;
  AdamWKernels adamw;
};

// Those that this machine can run, the fastest first; the last are the plain ones.
std::span<const ArrayKernelSet* const> array_kernels();

}  // namespace sightline
