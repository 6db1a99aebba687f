#pragma once
// Products of rows with weight matrices and their gradients: at::linear, by our own products
// (kernels/matrix_kernels.h) for bf16 on CPUs where those are faster than the library's. They sum
// in fp32 and round once, also where the gradients of several products meet.
//
// Legend: T rows, K inputs, N outputs.

#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

namespace sightline {

struct Weight {
  at::Tensor matrix_NK;
  at::Tensor bias_N;  // undefined where there is none
};

// x [.., K] -> [.., N].
at::Tensor linear(const at::Tensor& x, const Weight& weight);
// The same rows by several matrices: x is read, and its gradient written, once for all.
std::vector<at::Tensor> linears(const at::Tensor& x, std::span<const Weight> weights);
// added + linear(x, weight), rounded once; the same without where `added` is undefined.
at::Tensor linear_added(const at::Tensor& added, const at::Tensor& x, const Weight& weight);

// What backward passes are made of, without gradients of their own.
at::Tensor input_gradient(const at::Tensor& d_y_TN, const at::Tensor& weight_NK);  // [T, K]
// sum_NK += d_y^T x. The sum is in fp32, or fp64 for fp64.
void add_weight_gradient(const at::Tensor& d_y_TN, const at::Tensor& x_TK, at::Tensor& sum_NK);

}  // namespace sightline
