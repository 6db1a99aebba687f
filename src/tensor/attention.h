#pragma once
// Attention over packed rows by an AttentionPlan, and its plain definition.
//
// Legend: T packed rows, H query heads, G key/value heads (H a multiple of G), d head size.

#include <vector>

#include <ATen/core/Tensor.h>

#include "batch/attention_plan.h"
#include "batch/layout.h"

namespace sightline {

// A plan as index tensors, made once a batch and used by every layer and head.
struct AttentionTables {
  // Runs of like length, padded to one shape and computed by one call.
  struct Group {
    int64_t runs = 0, queries = 0, keys = 0;  // B, Lq, Lk after padding
    at::Tensor query_rows;                    // [B * Lq] packed row, or -1 (padding)
    at::Tensor key_rows;                      // [B * Lk] packed row, or -1 (padding)
    at::Tensor mask;                          // additive [B, 1, Lq, Lk] in fp32; undefined: all seen
  };
  int64_t rows = 0;
  std::vector<Group> groups;
  int64_t padded_scores = 0;    // computed (q, k) pairs, padding included
  int64_t gathered_keys = 0;    // key rows gathered, padding included; plan.num_keys() are real
};

AttentionTables lower_plan(const AttentionPlan& plan);

// softmax(q k^T * scale) v over the pairs that the plan allows. q [T, H, d]; k, v [T, G, d]; result
// [T, H, d] in q's dtype. Differentiable; the backward sums in a fixed order.
at::Tensor planned_attention(const AttentionTables& tables, const at::Tensor& q_THd,
                             const at::Tensor& k_TGd, const at::Tensor& v_TGd, double scale);

// The definition: one dense boolean mask from allowed(). For tests and odd cases.
at::Tensor dense_attention(const Layout& layout, const at::Tensor& q_THd, const at::Tensor& k_TGd,
                           const at::Tensor& v_TGd, double scale);

}  // namespace sightline
