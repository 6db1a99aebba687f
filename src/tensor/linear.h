#pragma once
// Products of rows with weight matrices and their gradients: at::linear, but on CPUs by our own
// products of bf16 (kernels/matrix_kernels.h) where those are faster than the library's:
//  - without AVX-512 always: the library sums bf16 there a number at a time;
//  - with AVX512-BF16, without AMX, few rows without gradients: there a weight matrix is read once,
//    as it lies, by all rows together. The library brings it into another layout first, which takes
//    as long again.
// Ours sum in fp32 and round once; a result does not depend on the number of threads.
//
// Legend: T rows, K inputs, N outputs.

#include <ATen/core/Tensor.h>

namespace sightline {

// x [.., K] and a matrix [N, K]: x matrix^T + bias [.., N]. The bias may be undefined.
// Differentiable (once).
at::Tensor linear_layer(const at::Tensor& x, const at::Tensor& matrix_NK, const at::Tensor& bias_N);

// Whether all products of such matrices are ours.
bool multiplies_by_kernels(at::Device device, at::ScalarType dtype);

// What backward passes are made of, without gradients of their own: d_y matrix [T, K], and
// d_y^T x [N, K], added to a sum in fp32 (fp64 for fp64).
at::Tensor input_gradient(const at::Tensor& d_y_TN, const at::Tensor& matrix_NK);
void add_weight_gradient(const at::Tensor& d_y_TN, const at::Tensor& x_TK, at::Tensor& sum_NK);

}  // namespace sightline
