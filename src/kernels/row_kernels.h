#pragma once
// What a decoder computes of a row, in fp32 and in plain memory: products with a matrix that is
// read once for all rows, norms, rotation, attention over cached rows. Each is the work of one
// thread; who calls divides it.
//
// They are compiled for AVX-512, for AVX2 and without either. The last is the definition: the
// others differ from it by rounding (sums in another order).
//
// Legend: S rows, K inputs, N outputs, d head size.

#include "kernels/weight_matrix.h"

#include <cstdint>
#include <span>
#include <string_view>

namespace sightline {

// Rows that lie `stride` numbers apart. Behind a row's K numbers stand zeros up to a multiple of
// kWeightGroup.
struct RowsView {
  const float* values = nullptr;
  int64_t rows = 0, stride = 0;
};

struct OutputRange {
  int64_t begin = 0, end = 0;
};

// Keys and values of one head: row r begins at r * stride. In fp32 or bf16.
struct CachedHead {
  WeightFormat format = WeightFormat::fp32;
  const void* keys = nullptr;
  const void* values = nullptr;
  int64_t stride = 0;  // in numbers
};

struct RowKernels {
  std::string_view name;  // avx512 | avx2 | plain

  // y[s, n] = sum over k of x[s, k] w[n, k], for the outputs of the range; y's rows lie `stride`
  // apart.
  void (*products)(const WeightMatrix& w_NK, OutputRange range, const RowsView& x_SK, float* y_SN,
                   int64_t stride);

  // out = x / sqrt(mean(x^2) + epsilon) * weight, over `size` numbers.
  void (*rms_norm)(const float* x, const float* weight, int64_t size, float epsilon, float* out);

  // gate = silu(gate) * up, over `size` numbers.
  void (*swiglu)(float* gate, const float* up, int64_t size);

  // Rotates a head's two halves in place by the angles whose d/2 cosines and sines are given.
  void (*rotate)(float* head_d, const float* cos, const float* sin, int64_t d);

  // out = sum over j of softmax_j(scale q k_j) v_j, over the rows whose numbers are given.
  // `scratch` takes as many numbers as there are rows.
  void (*attend)(const float* q_d, const CachedHead& head, std::span<const int32_t> rows, int64_t d,
                 float scale, float* scratch, float* out_d);

  // The same numbers in bf16, rounded to the nearest, to the even one of two.
  void (*to_bf16)(const float* from, int64_t size, uint16_t* to);
};

const RowKernels& plain_row_kernels();
// Those that this machine can run, the fastest first; the last are the plain ones.
std::span<const RowKernels* const> row_kernels();

}  // namespace sightline
