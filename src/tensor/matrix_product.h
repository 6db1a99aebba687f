#pragma once
// The products of kernels/matrix_kernels.h over tensors, divided among the threads. Their results
// do not depend on how many there are.

#include "kernels/matrix_kernels.h"

#include <ATen/core/Tensor.h>

namespace sightline {

// Whether this machine's fastest products of bf16 matrices are those of matrix_kernels().
bool prefers_matrix_kernels();

// Rows of a [rows, k] matrix whose numbers lie side by side, as left or right operand that is
// summed over them, or (k_first) over the rows.
MatrixPart numbers_last(const at::Tensor& x_RK);
MatrixPart rows_first(const at::Tensor& x_KR);

// A right operand of n columns, packed; good as long as this lives.
class PackedOperand {
 public:
  PackedOperand(MatrixOperand right, int64_t n);

  // y's m rows by n columns.
  void multiply(MatrixOperand left, int64_t m, const ProductOutput& y) const;

 private:
  at::Tensor pairs_;
  int64_t n_, k_pairs_;
};

// Sums over more numbers than these are best made piece by piece, which stay in the caches.
constexpr int64_t kMostSummed = 4096;
// k numbers from `begin` on; `begin` is even.
MatrixPart piece_of(const MatrixPart& whole, int64_t begin, int64_t k);

}  // namespace sightline
