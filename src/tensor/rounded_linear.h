#pragma once
// Products of rows with int8 weights where the rows are rounded to int8 too, by all threads
// (kernels/rounded_products.h says what is computed). For generation: no gradients.
//
// Legend: T rows, K inputs, N outputs.

#include "kernels/weight_matrix.h"

#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

namespace sightline {

// Whether this machine multiplies rounded rows, and faster than rows of these numbers.
bool rounds_rows(at::Device device, at::ScalarType dtype);

struct RoundedLinear {
  WeightMatrix weights_NK;  // int8
  at::Tensor bias_N;        // of the rows' numbers; may be undefined
};

// x [.., K] in fp32 or bf16 and matrices that take the same rows, which are rounded once: of each
// x matrix^T + bias [.., N], in x's numbers. The same for any number of threads.
std::vector<at::Tensor> rounded_products(const at::Tensor& x,
                                         std::span<const RoundedLinear> matrices);

}  // namespace sightline
