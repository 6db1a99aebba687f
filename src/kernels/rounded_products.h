#pragma once
// Products of rows with int8 weights (kernels/weight_matrix.h) where the rows are rounded to int8
// too, in the same groups of 64 along K, and multiplied as whole numbers:
//
//   x[t, k] ~ s[t, g] p[t, k],  p in [-127, 127], s = max over the group of |x| / 127
//   y[t, n] = sum over groups g of (s[t, g] scale[n, g]) (sum over k in g of p[t, k] q[n, k])
//
// A group's sum of whole numbers is exact and groups are added in their order, each by one fused
// multiply-add: so y is the same to the bit by whatever instructions. A row with a number that is
// infinite or none has none in that group, and so in all of its y.
//
// By the processor's products of four bytes (AVX512-VNNI), twice as many a cycle as of bf16 pairs,
// or of two 16-bit numbers (AVX2), with an addition each where fp32 has one instruction for both.
// Each function is the work of one thread; who calls divides it.
//
// Legend: T rows, N outputs, K inputs.

#include "kernels/matrix_kernels.h"
#include "kernels/weight_matrix.h"

#include <cstdint>
#include <span>
#include <vector>

namespace sightline {

// Rows as round_fp32 or round_bf16 wrote them, in the form of the kernels that they are for: row
// t's numbers at t * groups * kWeightGroup * bytes_of_number, its scales at t * groups.
struct RoundedRows {
  const void* numbers = nullptr;
  const float* scales = nullptr;
  int64_t rows = 0, groups = 0;
};

struct RoundedKernels {
  int64_t bytes_of_number;
  // One row of `inputs` numbers; behind them stand zeros up to a multiple of kWeightGroup.
  void (*round_fp32)(const float* x_K, int64_t inputs, void* numbers, float* scales);
  void (*round_bf16)(const uint16_t* x_K, int64_t inputs, void* numbers, float* scales);
  // The outputs of a range, of all rows, into `y` (by rows), whose first column is output 0; a bias
  // is added last. `panel` is memory that calls may share one after the other.
  void (*multiply)(const RoundedRows& rows, const WeightMatrix& weights, MatrixRange outputs,
                   std::vector<uint32_t>& panel, const ProductOutput& y);
};

// The definitions, of rows in bytes.
void plain_round_row(std::span<const float> x_K, int8_t* numbers, float* scales);
void plain_multiply_rounded(const RoundedRows& rows, const WeightMatrix& weights, float* y_TN);

}  // namespace sightline
