#pragma once
// RMSNorm (Zhang and Sennrich 2019, arXiv 1910.07467) as transformers' LlamaRMSNorm computes it,
// with a backward of its own: ATen's is put together from powers and means, and took a third of a
// step.
//
// Legend: T rows, D hidden size.

#include <ATen/core/Tensor.h>

namespace sightline {

// x / sqrt(mean(x^2) + eps) * weight, in x's dtype; the sums are in fp32 (fp64 for fp64).
at::Tensor rms_norm(const at::Tensor& x_TD, const at::Tensor& weight_D, double epsilon);

// The definition, operation by operation.
at::Tensor plain_rms_norm(const at::Tensor& x_TD, const at::Tensor& weight_D, double epsilon);

}  // namespace sightline
