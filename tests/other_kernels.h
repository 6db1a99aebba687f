#pragma once
// Kernels for the device of tests/other_device.h: the CPU's, over its hidden memory. They stand in
// for a GPU's, so that what those would be called with is held to numbers.

#include "cuda/numbers.h"
#include "kernels/array_kernels.h"
#include "kernels/cuda_kernels.h"
#include "kernels/row_kernels.h"
#include "tests/other_device.h"
#include "tests/other_recording.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <span>
#include <type_traits>
#include <vector>

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

// A piece of work of the device's.
inline void kernel(const std::function<void()>& body) {
  ++kernel_calls();
  do_and_record(body);
}

// Each sequence's rows, by the CPU's kernel of attention over a cache.
template <class Number>
void other_attend(const CudaCache<Number>& cache, const Number* q, float scale, Number* out) {
  constexpr bool is_float = std::is_same_v<Number, float>;
  const int64_t d = cache.d, heads = cache.query_heads, stride = cache.key_heads * d;
  std::vector<float> query(static_cast<size_t>(d)), result(query), scratch;
  for (int64_t i = 0; i < cache.sequences * heads; ++i) {
    const int64_t s = i / heads, head = i % heads / (heads / cache.key_heads);
    const std::span rows(reached(cache.rows) + s * cache.room,
                         static_cast<size_t>(reached(cache.lengths)[s]));
    SL_ASSERT(!rows.empty() && std::ssize(rows) <= cache.room, "{} rows", rows.size());
    scratch.resize(rows.size());
    for (int64_t j = 0; j < d; ++j) {
      query[static_cast<size_t>(j)] = gpu::float_of(reached(q)[i * d + j]);
    }
    row_kernels().front()->attend(query.data(),
                                  {.format = is_float ? WeightFormat::fp32 : WeightFormat::bf16,
                                   .keys = reached(cache.keys) + head * d,
                                   .values = reached(cache.values) + head * d,
                                   .stride = stride},
                                  rows, d, scale, scratch.data(), result.data());
    for (int64_t j = 0; j < d; ++j) {
      gpu::put(reached(out)[i * d + j], result[static_cast<size_t>(j)]);
    }
  }
}

template <class Number>
void other_store(const CudaCache<Number>& cache, const Number* k, const Number* v) {
  const int64_t size = cache.key_heads * cache.d;
  for (int64_t s = 0; s < cache.sequences; ++s) {
    const int64_t row = reached(cache.rows)[s * cache.room + reached(cache.lengths)[s] - 1] * size;
    std::copy_n(reached(k) + s * size, size, reached(cache.keys) + row);
    std::copy_n(reached(v) + s * size, size, reached(cache.values) + row);
  }
}

template <class Number>
CudaArrayKernels<Number> other_array_kernels() {
  return {
      .swiglu =
          [](const Number* gate, const Number* up, int64_t size, Number* out) {
            kernel([=] {
              cpu_kernels<Number>().swiglu(reached(gate), reached(up), size, reached(out));
            });
          },
      .swiglu_backward =
          [](const Number* gate, const Number* up, const Number* d_out, int64_t size,
             Number* d_gate, Number* d_up) {
            kernel([=] {
              cpu_kernels<Number>().swiglu_backward(reached(gate), reached(up), reached(d_out),
                                                    size, reached(d_gate), reached(d_up));
            });
          },
      .rotate =
          [](const Number* x, int64_t row_stride, const float* cos, const float* sin, int64_t rows,
             int64_t heads, int64_t d, Number* out) {
            kernel([=] {
              for (int64_t row = 0; row < rows; ++row) {
                cpu_kernels<Number>().rotate(
                    reached(x) + row * row_stride, reached(cos) + row * (d / 2),
                    reached(sin) + row * (d / 2), heads, d, reached(out) + row * heads * d);
              }
            });
          },
      .rms_norm =
          [](const Number* x, const Number* weight, int64_t rows, int64_t size, float epsilon,
             Number* out, float* scale) {
            kernel([=] {
              for (int64_t row = 0; row < rows; ++row) {
                reached(scale)[row] =
                    cpu_kernels<Number>().rms_norm(reached(x) + row * size, reached(weight), size,
                                                   epsilon, reached(out) + row * size);
              }
            });
          },
      .rms_norm_backward =
          [](const Number* x, const Number* weight, const float* scale, const Number* d_out,
             int64_t rows, int64_t size, Number* d_x, float* d_weight) {
            kernel([=] {
              const int64_t blocks = rms_norm_blocks(rows);
              std::fill_n(reached(d_weight), blocks * size, 0.0F);
              for (int64_t row = 0; row < rows; ++row) {
                cpu_kernels<Number>().rms_norm_backward(
                    reached(x) + row * size, reached(weight), reached(scale)[row],
                    reached(d_out) + row * size, size, reached(d_x) + row * size,
                    reached(d_weight) + row % blocks * size);
              }
            });
          },
      .store = [](const CudaCache<Number>& cache, const Number* k,
                  const Number* v) { kernel([=] { other_store(cache, k, v); }); },
      .attend = [](const CudaCache<Number>& cache, const Number* q, float scale, float*,
                   Number* out) { kernel([=] { other_attend(cache, q, scale, out); }); },
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
    .record = other_record,
};

}  // namespace sightline::test
