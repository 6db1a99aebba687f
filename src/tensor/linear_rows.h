#pragma once
// at::linear, but for few bf16 rows without gradients on CPUs that multiply them by pairs
// (kernels/matrix_kernels.h): there a weight matrix is read once, as it lies, by all rows together.
// The library brings it into another layout first, which takes as long again.
//
// Legend: T rows, K inputs, N outputs.

#include <ATen/core/Tensor.h>

namespace sightline {

// x [T, K] and a matrix [N, K]: x matrix^T + bias [T, N]. The bias may be undefined.
at::Tensor linear_rows(const at::Tensor& x_TK, const at::Tensor& matrix_NK,
                       const at::Tensor& bias_N);

}  // namespace sightline
