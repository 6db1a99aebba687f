#include "base/error.h"
#include "batch/attention_plan.h"
#include "tests/batch/random_layout.h"

#include <gtest/gtest.h>

namespace sightline {
namespace {

using test::random_batch;
using test::random_layout;

Layout layout_of(std::vector<int32_t> document, std::vector<int32_t> branch,
                 std::vector<int32_t> block) {
  Layout layout{std::move(document), std::move(branch), std::move(block), {}};
  layout.position_T.assign(layout.document_T.size(), 0);
  return layout;
}

// How often the plan lets row q see row k, counted from the runs as their header defines them.
std::vector<int> counts_of(const AttentionPlan& plan) {
  std::vector<int> counts(plan.rows * plan.rows, 0);
  for (const Run& run : plan.runs) {
    for (int32_t q = run.begin; q < run.end; ++q) {
      for (int32_t k = run.trunk_begin; k < run.trunk_end; ++k) ++counts[q * plan.rows + k];
      const int32_t last = run.causal ? q + 1 : run.end;
      for (int32_t k = run.own_begin; k < last; ++k) ++counts[q * plan.rows + k];
    }
  }
  return counts;
}

void expect_plan_is_the_rule(const Layout& layout) {
  const AttentionPlan plan = make_plan(layout);
  ASSERT_EQ(plan.rows, layout.rows());
  int32_t next_row = 0;
  int64_t keys = 0;
  for (const Run& run : plan.runs) {
    ASSERT_EQ(run.begin, next_row);
    ASSERT_LT(run.begin, run.end);
    next_row = run.end;
    keys += run.num_keys();
  }
  ASSERT_EQ(next_row, plan.rows);
  EXPECT_EQ(keys, plan.num_keys());
  const std::vector<int> counts = counts_of(plan);
  int64_t scores = 0;
  for (int64_t q = 0; q < plan.rows; ++q) {
    for (int64_t k = 0; k < plan.rows; ++k) {
      ASSERT_EQ(counts[q * plan.rows + k], allowed(layout, q, k) ? 1 : 0) << q << " sees " << k;
      scores += counts[q * plan.rows + k];
    }
  }
  EXPECT_EQ(scores, plan.num_scores());
}

TEST(AttentionPlan, EqualsTheRuleOnRandomLayouts) {
  Rng rng(1);
  for (int i = 0; i < 3000 && !HasFatalFailure(); ++i) expect_plan_is_the_rule(random_layout(rng));
}

TEST(AttentionPlan, EqualsTheRuleOnRandomBatchesOfEveryPolicy) {
  Rng rng(2);
  for (int i = 0; i < 400 && !HasFatalFailure(); ++i) {
    for (const MaskPolicy policy :
         {MaskPolicy::causal, MaskPolicy::image, MaskPolicy::prefix, MaskPolicy::question}) {
      expect_plan_is_the_rule(random_batch(rng, policy).layout);
    }
  }
}

TEST(AttentionPlan, RunsAreMaximal) {
  Rng rng(3);
  for (int i = 0; i < 1000; ++i) {
    const AttentionPlan plan = make_plan(random_layout(rng));
    for (size_t r = 1; r < plan.runs.size(); ++r) {
      const auto& before = plan.runs[r - 1];
      const auto& after = plan.runs[r];
      EXPECT_FALSE(before.causal && after.causal && before.own_begin == after.own_begin);
    }
  }
}

TEST(AttentionPlan, ImageThenTextThenTwoBranches) {
  const auto layout =
      layout_of({0, 0, 0, 0, 0, 0, 1}, {-1, -1, -1, 0, 0, 1, -1}, {0, 0, -1, -1, -1, -1, -1});
  const AttentionPlan plan = make_plan(layout);
  ASSERT_EQ(plan.runs.size(), 5u);
  EXPECT_FALSE(plan.runs[0].causal);  // the image's two rows: its own keys alone
  EXPECT_EQ(plan.runs[0].num_keys(), 2);
  EXPECT_TRUE(plan.runs[1].causal);  // the prompt's row: all before it
  EXPECT_EQ(plan.runs[1].num_keys(), 3);
  EXPECT_EQ(plan.runs[2].num_keys(), 5);  // branch 0: the trunk and its own two rows
  EXPECT_EQ(plan.runs[3].num_keys(), 4);  // branch 1: never branch 0's
  EXPECT_EQ(plan.runs[3].own_begin, 5);
  EXPECT_EQ(plan.runs[4].num_keys(), 1);  // the next document
}

TEST(AttentionPlan, EmptyLayoutHasNoRuns) { EXPECT_TRUE(make_plan({}).runs.empty()); }

TEST(AttentionPlan, BrokenLayoutsAreAsserted) {
  EXPECT_THROW(make_plan(layout_of({0, 1, 0}, {-1, -1, -1}, {-1, -1, -1})), AssertionError);
  EXPECT_THROW(make_plan(layout_of({1}, {-1}, {-1})), AssertionError);
  EXPECT_THROW(make_plan(layout_of({0}, {0}, {-1})), AssertionError);  // a branch without a trunk
  EXPECT_THROW(make_plan(layout_of({0, 0, 0}, {-1, 0, -1}, {-1, -1, -1})), AssertionError);
  EXPECT_THROW(make_plan(layout_of({0, 0, 0}, {-1, 1, 0}, {-1, -1, -1})), AssertionError);
  EXPECT_THROW(make_plan(layout_of({0, 0, 0}, {-1, -1, -1}, {0, -1, 0})), AssertionError);
  EXPECT_THROW(make_plan(layout_of({0, 0}, {-1, 0}, {0, 0})), AssertionError);  // across branches
  EXPECT_THROW(make_plan(layout_of({0, 1}, {-1, -1}, {0, 0})), AssertionError);
}

}  // namespace
}  // namespace sightline
