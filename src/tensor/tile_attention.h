#pragma once
// Attention over packed rows on CPUs where our products of bf16 are the fastest
// (kernels/matrix_kernels.h): a key head of a document at a time, by one thread, whose scores stay
// in its caches. Rows are read and written where they lie, in any stride; no score is kept for
// backward, which makes them again.
//
// Legend: T packed rows, H query heads, G key/value heads (H a multiple of G), d head size.

#include "batch/attention_plan.h"

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

namespace sightline {

struct TileTables {
  // Some queries [begin, end) of a run, and its keys: a causal run's own end where they do.
  struct Piece {
    Run run;
    int32_t own_end = 0;
  };
  // Rows [begin, end) of which none sees, or is seen by, a row elsewhere.
  struct Document {
    int32_t begin = 0, end = 0;
    std::vector<Piece> pieces;
  };
  std::vector<Document> documents;
};

bool takes_tiles(at::Device device, at::ScalarType dtype, int64_t head_size);

TileTables tile_tables(const AttentionPlan& plan);

// softmax(q k^T * scale) v over the pairs that the plan allows: [T, H, d]. Differentiable (once).
// Gradients of keys are summed over their queries in fp32 and rounded once, in a fixed order.
at::Tensor tile_attention(const TileTables& tables, const at::Tensor& q_THd,
                          const at::Tensor& k_TGd, const at::Tensor& v_TGd, double scale);

}  // namespace sightline
