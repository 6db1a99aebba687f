#include "batch/attention_plan.h"

#include "base/error.h"

namespace sightline {
namespace {

// Rows [begin, end) of one document and one branch.
struct Segment {
  int32_t begin = 0, end = 0;
};

Segment segment_at(const Layout& layout, int32_t begin) {
  int32_t end = begin + 1;
  while (end < layout.rows() && layout.document_T[end] == layout.document_T[begin] &&
         layout.branch_T[end] == layout.branch_T[begin]) {
    ++end;
  }
  return {begin, end};
}

// Appends the segment's runs: the maximal spans of one block or of causal rows. `trunk` is empty
// for the trunk's own segment. `next_block` is the number that the next block must have.
void append_runs(const Layout& layout, Segment segment, Segment trunk, int32_t& next_block,
                 std::vector<Run>& runs) {
  for (int32_t begin = segment.begin; begin < segment.end;) {
    const int32_t block = layout.block_T[begin];
    int32_t end = begin + 1;
    while (end < segment.end && layout.block_T[end] == block) ++end;
    if (block != kNoBlock) {
      SL_ASSERT(block == next_block,
                "row {} opens block {}, but {} is the next: blocks are "
                "contiguous, within one branch and numbered in order",
                begin, block, next_block);
      ++next_block;
    }
    runs.push_back({begin, end, trunk.begin, trunk.end, segment.begin, block == kNoBlock});
    begin = end;
  }
}

}  // namespace

AttentionPlan make_plan(const Layout& layout) {
  const auto rows = static_cast<int32_t>(layout.rows());
  SL_ASSERT(layout.branch_T.size() == layout.document_T.size() &&
                layout.block_T.size() == layout.document_T.size(),
            "{} documents, {} branches, {} blocks", layout.document_T.size(),
            layout.branch_T.size(), layout.block_T.size());
  AttentionPlan plan;
  plan.rows = rows;
  Segment trunk;
  int32_t document = -1, branch = kTrunk, next_block = 0;
  for (int32_t row = 0; row < rows;) {
    const Segment segment = segment_at(layout, row);
    if (layout.branch_T[row] == kTrunk) {
      SL_ASSERT(layout.document_T[row] == document + 1, "row {} is of document {} after {}", row,
                layout.document_T[row], document);
      document = layout.document_T[row];
      trunk = segment;
      append_runs(layout, segment, {}, next_block, plan.runs);
    } else {
      SL_ASSERT(layout.document_T[row] == document && layout.branch_T[row] == branch + 1,
                "row {} is of document {}, branch {} after document {}, branch {}", row,
                layout.document_T[row], layout.branch_T[row], document, branch);
      append_runs(layout, segment, trunk, next_block, plan.runs);
    }
    branch = layout.branch_T[row];
    row = segment.end;
  }
  return plan;
}

int64_t AttentionPlan::num_keys() const {
  int64_t keys = 0;
  for (const Run& run : runs) keys += run.num_keys();
  return keys;
}

int64_t AttentionPlan::num_scores() const {
  int64_t scores = 0;
  for (const Run& run : runs) {
    const int64_t queries = run.num_queries();
    scores += queries * run.num_keys();
    if (run.causal) scores -= queries * (queries - 1) / 2;
  }
  return scores;
}

}  // namespace sightline
