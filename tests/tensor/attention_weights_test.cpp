// The weights written out, times the values, are what the fast attention gives.

#include "tensor/attention_weights.h"

#include "tensor/attention.h"
#include "tests/batch/random_layout.h"

#include <numeric>
#include <vector>

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

constexpr double kScale = 0.3;

at::Tensor random_tensor(Rng& rng, std::vector<int64_t> shape) {
  at::Tensor x = at::zeros(shape, at::kFloat);
  float* value = x.mutable_data_ptr<float>();
  for (int64_t i = 0; i < x.numel(); ++i) value[i] = static_cast<float>(rng.normal());
  return x;
}

std::vector<int64_t> all_rows(int64_t count) {
  std::vector<int64_t> rows(static_cast<size_t>(count));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

void expect_equal(const Layout& layout, Rng& rng, int64_t heads, int64_t key_heads) {
  const at::Tensor q = random_tensor(rng, {layout.rows(), heads, 8});
  const at::Tensor k = random_tensor(rng, {layout.rows(), key_heads, 8});
  const at::Tensor v = random_tensor(rng, {layout.rows(), key_heads, 8});
  const auto rows = all_rows(layout.rows());
  const at::Tensor weights = attention_weights(layout, rows, q, k, kScale);
  const at::Tensor ours = attended_values(weights, v);
  const at::Tensor fast = planned_attention(lower_plan(make_plan(layout)), q, k, v, kScale);
  EXPECT_LT((ours - fast).abs().max().item<double>(), 1e-5);
  EXPECT_LT((weights.sum(-1) - 1).abs().max().item<double>(), 1e-5);
}

TEST(AttentionWeights, TimesValuesAreTheFastPathsOutput) {
  Rng rng(11);
  for (int round = 0; round < 30; ++round) {
    expect_equal(test::random_layout(rng), rng, 4, 4);
    expect_equal(test::random_batch(rng, MaskPolicy::image).layout, rng, 6, 2);
    expect_equal(test::random_batch(rng, MaskPolicy::prefix).layout, rng, 4, 1);
  }
}

TEST(AttentionWeights, AreZeroWhereNothingIsSeen) {
  Rng rng(12);
  const Layout layout = test::random_batch(rng, MaskPolicy::image).layout;
  const at::Tensor q = random_tensor(rng, {layout.rows(), 2, 8});
  const at::Tensor k = random_tensor(rng, {layout.rows(), 2, 8});
  const std::vector<int64_t> looking = {layout.rows() - 1, 0};
  const at::Tensor weights = attention_weights(layout, looking, q, k, kScale);
  for (size_t i = 0; i < looking.size(); ++i) {
    for (int64_t row = 0; row < layout.rows(); ++row) {
      const double weight =
          weights.select(1, static_cast<int64_t>(i)).select(1, row).sum().item<double>();
      EXPECT_EQ(weight > 0, allowed(layout, looking[i], row)) << looking[i] << " at " << row;
    }
  }
}

}  // namespace
}  // namespace sightline
