#pragma once
// A Layout lowered to what an attention kernel needs, once per batch: plain data, no tensors.
//
// The plan is a list of runs. A run is a maximal span of rows of one document and branch that are
// either one block or all causal. Its queries are its rows [begin, end); its keys are at most two
// spans: trunk rows [trunk_begin, trunk_end) and rows of its own branch [own_begin, own_end), where
// own_end == end. A block run sees all its keys; a causal run sees them aligned to the lower right
// (its last row sees all, its first all but the run's later rows). No dense mask is needed.

#include "batch/layout.h"

#include <cstdint>
#include <vector>

namespace sightline {

struct Run {
  int32_t begin = 0, end = 0;
  int32_t trunk_begin = 0, trunk_end = 0;  // empty for the trunk's own runs
  int32_t own_begin = 0;                   // own_end is `end`
  bool causal = true;

  int32_t num_queries() const { return end - begin; }
  int32_t num_keys() const { return trunk_end - trunk_begin + end - own_begin; }
};

struct AttentionPlan {
  int64_t rows = 0;
  std::vector<Run> runs;  // in the order of their rows; together they cover every row once

  int64_t num_keys() const;    // summed over runs: rows read as keys
  int64_t num_scores() const;  // allowed (q, k) pairs
};

// Asserts the layout's invariants (contiguous documents, branches after their trunk, blocks
// contiguous and within one branch).
AttentionPlan make_plan(const Layout& layout);

}  // namespace sightline
