#pragma once
// The orthogonal part of matrices, approximately: for M = U S V^T, what comes close to U V^T, by
// five steps of the Newton-Schulz iteration whose coefficients Jordan chose for Muon (2024):
// singular values end between about 0.7 and 1.2, which serves an optimizer as well as 1 and costs
// products alone.

#include <ATen/core/Tensor.h>

namespace sightline {

// [B, M, N] of B matrices -> [B, M, N]. A matrix of zeros stays so. The products are of `numbers`:
// bf16 serves an optimizer as well as fp32, as in Jordan's own.
at::Tensor orthogonalized(const at::Tensor& matrices_BMN, at::ScalarType numbers = at::kFloat);

}  // namespace sightline
