#pragma once
// Attention over packed rows by an AttentionPlan, and its plain definition.
//
// Legend: T packed rows, H query heads, G key/value heads (H a multiple of G), d head size.

#include "batch/attention_plan.h"
#include "batch/layout.h"
#include "tensor/flash_attention.h"
#include "tensor/gather.h"
#include "tensor/tile_attention.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <ATen/core/Tensor.h>

namespace sightline {

// A plan made ready for batched products, once a batch, and used by every layer and head. Copies
// share what they hold.
//
// Runs of like length are padded at their ends to one shape, a group, and computed by one batched
// product. Padding at the ends, and keys in the order of their rows, make every mask a number: a
// query sees the first `seen` keys of its run.
struct AttentionTables {
  struct Group {
    int64_t runs = 0, queries = 0, keys = 0;  // B, Lq, Lk after padding
    int64_t first_query = 0, first_key = 0;   // its first slots in the tables below
    std::vector<int32_t> seen;                // [B * Lq]; empty: all see all
    at::Tensor seen_BQ;                       // the same on a device that is not the CPU
  };
  struct Lowered {
    std::vector<Group> groups;
    SlotTable queries, keys;
    // Where the device has one of these for such numbers; then all else is empty.
    std::optional<FlashTables> flash;
    std::optional<TileTables> tiles;
  };
  std::shared_ptr<const Lowered> lowered;

  int64_t rows = 0;
  int64_t padded_scores = 0;  // computed (q, k) pairs, padding and what a mask hides included
  int64_t gathered_keys = 0;  // key slots, padding included; plan.num_keys() are real
};

// Of the rows that a plan is for, what decides how their attention is computed.
struct AttentionNumbers {
  at::Device device = at::kCPU;
  at::ScalarType dtype = at::kFloat;
  int64_t head_size = 0;
};

AttentionTables lower_plan(const AttentionPlan& plan, const AttentionNumbers& numbers = {});

// softmax(q k^T * scale) v over the pairs that the plan allows. q [T, H, d]; k, v [T, G, d]; result
// [T, H, d] in q's dtype. Differentiable (once); the backward sums in a fixed order. The scores of
// the padded runs are kept for it: padded_scores * H numbers of q's dtype. On the device of the
// tables. On a GPU 16-bit rows go by variable-length flash attention (flash_attention.h); bf16 rows
// on CPUs that multiply them by pairs go a document at a time (tile_attention.h), which keeps no
// scores.
//
// Why batched products and not LibTorch's fused attention on other CPUs: for the short runs of
// captions products and softmax, forward and backward, take half the CPU time of its CPU kernel in
// fp32, a tenth in bf16 (runs of 3 to 49 queries and 49 to 72 keys, head size 64, measured on Zen
// 4).
at::Tensor planned_attention(const AttentionTables& tables, const at::Tensor& q_THd,
                             const at::Tensor& k_TGd, const at::Tensor& v_TGd, double scale);

// The definition: one dense boolean mask from allowed(). For tests and odd cases.
at::Tensor dense_attention(const Layout& layout, const at::Tensor& q_THd, const at::Tensor& k_TGd,
                           const at::Tensor& v_TGd, double scale);

}  // namespace sightline
