#pragma once
// Attention over packed rows by an AttentionPlan, and its plain definition.
//
// Legend: T packed rows, H query heads, G key/value heads (H a multiple of G), d head size.

#include "batch/attention_plan.h"
#include "batch/layout.h"
#include "tensor/gather.h"

#include <vector>

#include <ATen/core/Tensor.h>

namespace sightline {

// A plan as index tensors, made once a batch and used by every layer and head.
struct AttentionTables {
  // Runs of like length, padded at their ends to one shape and computed by one call.
  struct Group {
    int64_t runs = 0, queries = 0, keys = 0;  // B, Lq, Lk after padding
    // Every run's keys are its own queries: the kernel's causal (upper left) mask says it all, as
    // the padded keys lie behind every real query.
    bool causal = false;
    at::Tensor mask;  // additive fp32 [B or 1, 1, Lq, Lk]; undefined: all seen, or `causal`
  };
  int64_t rows = 0;
  std::vector<Group> groups;
  GatherTable queries;  // T rows -> B * Lq slots of every group in turn
  GatherTable keys;     // T rows -> B * Lk slots of every group in turn
  GatherTable outputs;  // query slots -> T rows

  int64_t padded_scores = 0;  // computed (q, k) pairs, padding and what a mask hides included
  int64_t gathered_keys = 0;  // key slots, padding included; plan.num_keys() are real
};

AttentionTables lower_plan(const AttentionPlan& plan);

// softmax(q k^T * scale) v over the pairs that the plan allows. q [T, H, d]; k, v [T, G, d]; result
// [T, H, d] in q's dtype. Differentiable; the backward sums in a fixed order. On the CPU.
at::Tensor planned_attention(const AttentionTables& tables, const at::Tensor& q_THd,
                             const at::Tensor& k_TGd, const at::Tensor& v_TGd, double scale);

// The definition: one dense boolean mask from allowed(). For tests and odd cases.
at::Tensor dense_attention(const Layout& layout, const at::Tensor& q_THd, const at::Tensor& k_TGd,
                           const at::Tensor& v_TGd, double scale);

}  // namespace sightline
