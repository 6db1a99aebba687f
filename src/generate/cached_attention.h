#pragma once
// Attention of one new row of each sequence over the rows that a cache holds of it, its own among
// them.
//
// Legend: S sequences, H query heads, d head size.

#include "generate/kv_cache.h"

#include <ATen/core/Tensor.h>

namespace sightline {

// [S, H, d], in q's dtype; sums are in fp32 (fp64 for fp64).
at::Tensor cached_attention(const KvCache& cache, int64_t layer, const at::Tensor& q_SHd,
                            double scale);

// The definition: each sequence's rows gathered, softmax of the scaled products.
at::Tensor plain_cached_attention(const KvCache& cache, int64_t layer, const at::Tensor& q_SHd,
                                  double scale);

}  // namespace sightline
