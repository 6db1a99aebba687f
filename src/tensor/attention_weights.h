#pragma once
// How much each row looks at each other, written out: what the attention of attention.h multiplies
// the values with and keeps to itself. Plain and slow: to show, not to compute by.
//
// Legend: T packed rows, Q of them that look, H query heads, G key/value heads, d head size.

#include "batch/layout.h"

#include <cstdint>
#include <span>

#include <ATen/core/Tensor.h>

namespace sightline {

// softmax(q k^T * scale) of the rows `looking` over all rows that the layout allows, 0 elsewhere:
// fp32 [H, Q, T]. A line's sum is 1. Query head h looks by key head h / (H / G).
at::Tensor attention_weights(const Layout& layout, std::span<const int64_t> looking,
                             const at::Tensor& q_THd, const at::Tensor& k_TGd, double scale);

// weights_HQT v: fp32 [Q, H, d], what those rows get.
at::Tensor attended_values(const at::Tensor& weights_HQT, const at::Tensor& v_TGd);

}  // namespace sightline
