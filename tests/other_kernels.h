#pragma once
// Kernels for the device of tests/other_device.h: the CPU's, over its hidden memory. They stand in
// for a GPU's, so that what those would be called with is held to numbers.

#include "kernels/array_kernels.h"
#include "kernels/cuda_kernels.h"
#include "tests/other_device.h"

#include <cstdint>

namespace sightline::test {

inline int64_t& kernel_calls() {
  static int64_t calls = 0;
  return calls;
}

template <class Number>
const ArrayKernels<Number>& cpu_kernels() {
  const ArrayKernelSet& set = *array_kernels().front();
  if constexpr (std::is_same_v<Number, float>) {
    return set.fp32;
  } else {
    return set.bf16;
  }
}

// An address of the device, as the CPU reads it; null stays null.
template <class T>
T* reached(T* address) {
  return address == nullptr ? nullptr : static_cast<T*>(shown(address));
}

template <class Number>
CudaArrayKernels<Number> other_array_kernels() {
  return {
      .swiglu =
          [](const Number* gate, const Number* up, int64_t size, Number* out) {
            ++kernel_calls();
            cpu_kernels<Number>().swiglu(reached(gate), reached(up), size, reached(out));
          },
      .swiglu_backward =
          [](const Number* gate, const Number* up, const Number* d_out, int64_t size,
             Number* d_gate, Number* d_up) {
            ++kernel_calls();
            cpu_kernels<Number>().swiglu_backward(reached(gate), reached(up), reached(d_out), size,
                                                  reached(d_gate), reached(d_up));
          },
      .rotate =
          [](const Number* x, int64_t row_stride, const float* cos, const float* sin, int64_t rows,
             int64_t heads, int64_t d, Number* out) {
            ++kernel_calls();
            for (int64_t row = 0; row < rows; ++row) {
              cpu_kernels<Number>().rotate(
                  reached(x) + row * row_stride, reached(cos) + row * (d / 2),
                  reached(sin) + row * (d / 2), heads, d, reached(out) + row * heads * d);
            }
          },
      .rms_norm =
          [](const Number* x, const Number* weight, int64_t rows, int64_t size, float epsilon,
             Number* out, float* scale) {
            ++kernel_calls();
            for (int64_t row = 0; row < rows; ++row) {
              reached(scale)[row] =
                  cpu_kernels<Number>().rms_norm(reached(x) + row * size, reached(weight), size,
                                                 epsilon, reached(out) + row * size);
            }
          },
      .rms_norm_backward =
          [](const Number* x, const Number* weight, const float* scale, const Number* d_out,
             int64_t rows, int64_t size, Number* d_x, float* d_weight) {
            ++kernel_calls();
            const int64_t blocks = rms_norm_blocks(rows);
            std::fill_n(reached(d_weight), blocks * size, 0.0F);
            for (int64_t row = 0; row < rows; ++row) {
              cpu_kernels<Number>().rms_norm_backward(
                  reached(x) + row * size, reached(weight), reached(scale)[row],
                  reached(d_out) + row * size, size, reached(d_x) + row * size,
                  reached(d_weight) + row % blocks * size);
            }
          },
  };
}

// By the CPU's kernel of these weights and gradients.
template <class Weight, class Gradient, AdamWKernel<Weight, Gradient> AdamWKernels::*own>
void other_adamw(const AdamWNumbers& numbers, int64_t size, const Gradient* gradient,
                 Weight* weight, int16_t* rest, float* first, float* second, double* squares) {
  ++kernel_calls();
  std::fill_n(reached(squares), adamw_pieces(size), 0.0);
  const auto kernel = array_kernels().front()->adamw.*own;
  *reached(squares) =
      kernel(numbers, size, reached(gradient), reached(weight),
             rest == nullptr ? nullptr : reached(rest), reached(first), reached(second));
}

inline const CudaKernels kOtherKernels = {
    .fp32 = other_array_kernels<float>(),
    .bf16 = other_array_kernels<uint16_t>(),
    .adamw_fp32 = other_adamw<float, float, &AdamWKernels::fp32>,
    .adamw_bf16 = other_adamw<uint16_t, uint16_t, &AdamWKernels::bf16>,
    .adamw_bf16_by_sums = other_adamw<uint16_t, float, &AdamWKernels::bf16_by_sums>,
};

}  // namespace sightline::test
