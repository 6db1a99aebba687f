#pragma once
// Attention over packed rows by a GPU's variable-length flash attention (Dao 2023, arXiv
// 2307.08691), as LibTorch carries it: at most two calls a layer, one over the plan's blocks, one
// over its causal runs, each run a sequence with its own queries and keys. A causal run is aligned
// to the lower right, as the plan's are. No score is kept for backward, none is computed for
// padding. Keys that several runs read (a trunk under its branches) are copied for each, and their
// gradients summed in a fixed order.
//
// Legend: T packed rows, Q query rows of a call, K its key rows, H query heads, G key/value heads,
// d head size.

#include "batch/attention_plan.h"
#include "tensor/gather.h"

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

namespace sightline {

struct FlashTables {
  struct Call {
    bool is_causal = false;
    at::Tensor query_rows_Q, key_rows_K;      // int64
    at::Tensor query_starts_B, key_starts_B;  // int32: each run's first row here, and the end
    int64_t most_queries = 0, most_keys = 0;  // of a run
    std::vector<SlotTable::Tensors::Pass> key_passes;  // of the keys' gradients
  };
  std::vector<Call> calls;
  at::Tensor places_T;  // where row t stands in the calls' results, one behind the other
};

// Whether the device computes it for rows like these: of 16 bits, heads of at most 256 numbers, a
// multiple of 8. The device is asked once, by a call over one row.
bool takes_flash(at::Device device, at::ScalarType dtype, int64_t head_size);

FlashTables flash_tables(const AttentionPlan& plan, at::Device device);

// softmax(q k^T * scale) v over the pairs that the plan allows: [T, H, d]. Differentiable.
at::Tensor flash_attention(const FlashTables& tables, const at::Tensor& q_THd,
                           const at::Tensor& k_TGd, const at::Tensor& v_TGd, double scale);

}  // namespace sightline
