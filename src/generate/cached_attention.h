#pragma once
// Attention of one new row of each sequence over the rows that a cache holds of it, its own among
// them.
//
// Legend: S sequences, L rows of the longest, H query heads, d head size.

#include "generate/kv_cache.h"

#include <ATen/core/Tensor.h>

namespace sightline {

// The sequences' lists of rows as one table on the cache's device, for all layers of a token; made
// for devices other than the CPU, whose kernels read the lists.
struct CachedRows {
  at::Tensor rows_SL;    // int64; behind a shorter sequence's end any row
  at::Tensor hidden_SL;  // whether there is none
};
CachedRows cached_rows(const KvCache& cache, at::Device device);

// [S, H, d], in q's dtype; sums are in fp32 (fp64 for fp64). On the CPU.
at::Tensor cached_attention(const KvCache& cache, int64_t layer, const at::Tensor& q_SHd,
                            double scale);

// The same on any device, all sequences padded to the longest.
at::Tensor padded_cached_attention(const KvCache& cache, const CachedRows& rows, int64_t layer,
                                   const at::Tensor& q_SHd, double scale);

// The definition: each sequence's rows gathered, softmax of the scaled products.
at::Tensor plain_cached_attention(const KvCache& cache, int64_t layer, const at::Tensor& q_SHd,
                                  double scale);

}  // namespace sightline
