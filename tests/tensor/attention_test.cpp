#include "tensor/attention.h"

#include "base/error.h"
#include "kernels/matrix_kernels.h"
#include "tests/batch/random_layout.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using test::kRowsPerImage;

constexpr MaskPolicy kPolicies[] = {MaskPolicy::causal, MaskPolicy::image, MaskPolicy::prefix,
                                    MaskPolicy::question};
constexpr double kScale = 0.3;

at::Tensor random_tensor(Rng& rng, std::vector<int64_t> shape, at::ScalarType type) {
  at::Tensor x = at::zeros(shape, at::kDouble);
  double* value = x.mutable_data_ptr<double>();
  for (int64_t i = 0; i < x.numel(); ++i) value[i] = rng.normal();
  return x.to(type);
}

struct Inputs {
  at::Tensor q, k, v, d_out;
};

Inputs random_inputs(Rng& rng, int64_t rows, int64_t heads, int64_t key_heads,
                     at::ScalarType type = at::kFloat, int64_t d = 8) {
  return {
      random_tensor(rng, {rows, heads, d}, type), random_tensor(rng, {rows, key_heads, d}, type),
      random_tensor(rng, {rows, key_heads, d}, type), random_tensor(rng, {rows, heads, d}, type)};
}

// The same numbers in another type.
Inputs as(const Inputs& x, at::ScalarType type) {
  return {x.q.to(type), x.k.to(type), x.v.to(type), x.d_out.to(type)};
}

// The output and the gradients of q, k and v.
template <class Attention>
std::vector<at::Tensor> results(const Inputs& inputs, Attention attention) {
  const auto leaf = [](const at::Tensor& x) { return x.detach().clone().requires_grad_(true); };
  const at::Tensor q = leaf(inputs.q), k = leaf(inputs.k), v = leaf(inputs.v);
  const at::Tensor out = attention(q, k, v);
  out.backward(inputs.d_out);
  return {out.detach(), q.grad(), k.grad(), v.grad()};
}

std::vector<at::Tensor> planned(const Layout& layout, const Inputs& inputs) {
  const AttentionTables tables = lower_plan(make_plan(layout));
  return results(inputs, [&](const auto& q, const auto& k, const auto& v) {
    return planned_attention(tables, q, k, v, kScale);
  });
}

std::vector<at::Tensor> dense(const Layout& layout, const Inputs& inputs) {
  return results(inputs, [&](const auto& q, const auto& k, const auto& v) {
    return dense_attention(layout, q, k, v, kScale);
  });
}

// The largest difference as a share of the largest value.
double difference(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor exact = b.to(at::kDouble);
  const double largest = exact.abs().max().item<double>();
  const double apart = (a.to(at::kDouble) - exact).abs().max().item<double>();
  return apart / std::max(largest, 1e-6);
}

void expect_near(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b,
                 double tolerance) {
  const char* const names[] = {"output", "gradient of q", "gradient of k", "gradient of v"};
  for (size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a[i].sizes(), b[i].sizes());
    EXPECT_LE(difference(a[i], b[i]), tolerance) << names[i];
  }
}

bool same_bits(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor x = a.contiguous(), y = b.contiguous();
  return x.nbytes() == y.nbytes() &&
         std::memcmp(x.const_data_ptr(), y.const_data_ptr(), x.nbytes()) == 0;
}

TEST(PlannedAttention, EqualsDenseUnderEveryPolicy) {
  Rng rng(1);
  for (int i = 0; i < 12 && !HasFailure(); ++i) {
    for (const MaskPolicy policy : kPolicies) {
      const Layout layout = test::random_batch(rng, policy).layout;
      const Inputs inputs = random_inputs(rng, layout.rows(), 4, i % 2 == 0 ? 2 : 4);
      expect_near(planned(layout, inputs), dense(layout, inputs), 1e-5);
    }
  }
}

TEST(PlannedAttention, EqualsDenseOnWildLayouts) {
  Rng rng(2);
  for (int i = 0; i < 60 && !HasFailure(); ++i) {
    const Layout layout = test::random_layout(rng);
    const Inputs inputs = random_inputs(rng, layout.rows(), 6, 3, at::kDouble);
    expect_near(planned(layout, inputs), dense(layout, inputs), 1e-13);
  }
}

TEST(PlannedAttention, Bf16IsNearTheDenseFp32) {
  Rng rng(3);
  for (int i = 0; i < 6 && !HasFailure(); ++i) {
    for (const MaskPolicy policy : kPolicies) {
      const Layout layout = test::random_batch(rng, policy).layout;
      const Inputs inputs = random_inputs(rng, layout.rows(), 4, 2, at::kBFloat16, 64);
      expect_near(planned(layout, inputs), dense(layout, as(inputs, at::kFloat)), 2e-2);
    }
  }
}

// One document of text beside one that begins with a long block, both longer than one call takes.
Layout long_runs() {
  Layout layout;
  const auto append = [&](int32_t document, int32_t branch, int32_t block, int32_t rows) {
    layout.document_T.insert(layout.document_T.end(), rows, document);
    layout.branch_T.insert(layout.branch_T.end(), rows, branch);
    layout.block_T.insert(layout.block_T.end(), rows, block);
  };
  append(0, kTrunk, kNoBlock, 700);
  append(1, kTrunk, 0, 300);
  append(1, kTrunk, kNoBlock, 5);
  append(1, 0, kNoBlock, 270);
  append(1, 1, kNoBlock, 20);
  return layout;
}

TEST(PlannedAttention, EqualsDenseOnLongRuns) {
  const Layout layout = long_runs();
  Rng rng(4);
  const Inputs inputs = random_inputs(rng, layout.rows(), 2, 1);
  expect_near(planned(layout, inputs), dense(layout, inputs), 1e-5);
  expect_near(planned(layout, as(inputs, at::kBFloat16)), dense(layout, inputs), 2e-2);
}

// --- a document at a time, by tiles ---

std::vector<at::Tensor> tiled(const Layout& layout, const Inputs& inputs) {
  const TileTables tables = tile_tables(make_plan(layout));
  return results(inputs, [&](const auto& q, const auto& k, const auto& v) {
    return tile_attention(tables, q, k, v, kScale);
  });
}

class TiledAttention : public testing::Test {
 protected:
  void SetUp() override {
    if (matrix_kernels().empty()) GTEST_SKIP() << "this machine has neither AVX512-BF16 nor AVX2";
  }
};

TEST_F(TiledAttention, IsNearTheDenseUnderEveryPolicy) {
  Rng rng(3);
  for (int i = 0; i < 6 && !HasFailure(); ++i) {
    for (const MaskPolicy policy : kPolicies) {
      const Layout layout = test::random_batch(rng, policy).layout;
      const Inputs inputs = random_inputs(rng, layout.rows(), 4, 2, at::kBFloat16, 64);
      expect_near(tiled(layout, inputs), dense(layout, as(inputs, at::kDouble)), 1e-2);
    }
  }
}

TEST_F(TiledAttention, IsNearTheDenseOnWildLayouts) {
  Rng rng(2);
  for (int i = 0; i < 60 && !HasFailure(); ++i) {
    const Layout layout = test::random_layout(rng);
    const Inputs inputs =
        random_inputs(rng, layout.rows(), 6, 3, at::kBFloat16, i % 2 == 0 ? 6 : 80);
    expect_near(tiled(layout, inputs), dense(layout, as(inputs, at::kDouble)), 1e-2);
  }
}

TEST_F(TiledAttention, IsNearTheDenseOnLongRuns) {
  const Layout layout = long_runs();
  Rng rng(4);
  const Inputs inputs = random_inputs(rng, layout.rows(), 2, 1, at::kBFloat16, 64);
  expect_near(tiled(layout, inputs), dense(layout, as(inputs, at::kDouble)), 1e-2);
}

TEST_F(TiledAttention, RowsMayLieApartAndThreadsMayBeMany) {
  const Layout layout = long_runs();
  Rng rng(5);
  const Inputs inputs = random_inputs(rng, layout.rows(), 4, 2, at::kBFloat16, 64);
  const auto strided = [](const at::Tensor& x) {
    return x.transpose(0, 1).contiguous().transpose(0, 1);
  };
  const auto expected = tiled(layout, inputs);
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const TileTables tables = tile_tables(make_plan(layout));
  const auto found = results(inputs, [&](const auto& q, const auto& k, const auto& v) {
    return tile_attention(tables, strided(q), strided(k), strided(v), kScale);
  });
  at::set_num_threads(threads);
  for (size_t i = 0; i < found.size(); ++i) EXPECT_TRUE(same_bits(found[i], expected[i])) << i;
}

TEST_F(TiledAttention, WhatIsNoNumberReachesThoseThatSeeIt) {
  const Layout layout = long_runs();
  Rng rng(6);
  Inputs inputs = random_inputs(rng, layout.rows(), 2, 1, at::kBFloat16, 64);
  inputs.k[3].fill_(std::numeric_limits<float>::quiet_NaN());  // of the first document
  const at::Tensor sick_T = tiled(layout, inputs)[0].isnan().flatten(1).any(1);
  const bool* const is_sick = sick_T.const_data_ptr<bool>();
  for (int64_t row = 0; row < layout.rows(); ++row) {
    EXPECT_EQ(is_sick[row], layout.document_T[static_cast<size_t>(row)] == 0 && row >= 3) << row;
  }
}

TEST(PlannedAttention, TakesStridedInputs) {
  Rng rng(5);
  const Layout layout = test::random_batch(rng, MaskPolicy::image).layout;
  const Inputs inputs = random_inputs(rng, layout.rows(), 4, 4);
  const auto strided = [](const at::Tensor& x) {
    return x.transpose(0, 1).contiguous().transpose(0, 1);
  };
  const Inputs others = {strided(inputs.q), strided(inputs.k), strided(inputs.v),
                         strided(inputs.d_out)};
  ASSERT_FALSE(others.q.is_contiguous());
  expect_near(planned(layout, others), planned(layout, inputs), 0);
}

// Changes row `changed` of q, k and v and of the output's gradient, and looks for a bit that moved
// where none may: outputs of rows that do not see it.
void expect_no_leak(const Layout& layout, at::ScalarType type, Rng& rng) {
  const AttentionTables tables = lower_plan(make_plan(layout));
  const Inputs before = random_inputs(rng, layout.rows(), 4, 2, type, 16);
  const at::Tensor out = planned_attention(tables, before.q, before.k, before.v, kScale);
  for (int64_t changed = 0; changed < layout.rows(); ++changed) {
    const Inputs after = {before.q.clone(), before.k.clone(), before.v.clone(), {}};
    for (const at::Tensor& x : {after.q, after.k, after.v}) x[changed].mul_(-3.7).add_(0.9);
    const at::Tensor moved = planned_attention(tables, after.q, after.k, after.v, kScale);
    for (int64_t row = 0; row < layout.rows(); ++row) {
      if (allowed(layout, row, changed)) {
        EXPECT_FALSE(same_bits(out[row], moved[row])) << row << " may see " << changed;
      } else {
        ASSERT_TRUE(same_bits(out[row], moved[row])) << row << " may not see " << changed;
      }
    }
  }
}

TEST(PlannedAttention, ARowThatMayNotBeSeenMovesNoBit) {
  Rng rng(6);
  for (const MaskPolicy policy : kPolicies) {
    expect_no_leak(test::random_batch(rng, policy, 2).layout, at::kFloat, rng);
  }
  for (int i = 0; i < 5; ++i) expect_no_leak(test::random_layout(rng), at::kFloat, rng);
}

TEST(PlannedAttention, ARowThatMayNotBeSeenMovesNoBitInBf16) {
  Rng rng(7);
  // In 16 bits a change may be rounded away: only the direction that matters is held.
  for (const MaskPolicy policy : kPolicies) {
    const Layout layout = test::random_batch(rng, policy, 2).layout;
    const AttentionTables tables = lower_plan(make_plan(layout));
    const Inputs before = random_inputs(rng, layout.rows(), 4, 2, at::kBFloat16, 16);
    const at::Tensor out = planned_attention(tables, before.q, before.k, before.v, kScale);
    for (int64_t changed = 0; changed < layout.rows(); ++changed) {
      const at::Tensor k = before.k.clone(), v = before.v.clone();
      k[changed].fill_(5);
      v[changed].fill_(-7);
      const at::Tensor moved = planned_attention(tables, before.q, k, v, kScale);
      for (int64_t row = 0; row < layout.rows(); ++row) {
        if (allowed(layout, row, changed)) continue;
        ASSERT_TRUE(same_bits(out[row], moved[row])) << row << " may not see " << changed;
      }
    }
  }
}

// The gradient's leak: a row whose output is not looked at passes nothing on.
TEST(PlannedAttention, GradientsReachOnlyRowsThatWereSeen) {
  Rng rng(8);
  const Layout layout = test::random_batch(rng, MaskPolicy::image, 2).layout;
  for (int64_t row = 0; row < layout.rows(); ++row) {
    Inputs inputs = random_inputs(rng, layout.rows(), 4, 2);
    const at::Tensor d_row = inputs.d_out[row].clone();
    inputs.d_out.zero_();
    inputs.d_out[row].copy_(d_row);
    const auto gradients = planned(layout, inputs);
    for (int64_t k = 0; k < layout.rows(); ++k) {
      const bool reached = gradients[3][k].abs().max().item<float>() > 0;
      ASSERT_EQ(reached, allowed(layout, row, k)) << row << " and " << k;
    }
  }
}

TEST(PlannedAttention, RepeatsToTheBit) {
  Rng rng(9);
  const Layout layout = test::random_batch(rng, MaskPolicy::image, 12).layout;
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    const Inputs inputs = random_inputs(rng, layout.rows(), 4, 2, type, 64);
    const auto first = planned(layout, inputs);
    for (int i = 0; i < 5; ++i) {
      const auto again = planned(layout, inputs);
      for (size_t t = 0; t < first.size(); ++t) EXPECT_TRUE(same_bits(first[t], again[t]));
    }
  }
}

TEST(PlannedAttention, GradientsEqualCentralDifferences) {
  Rng rng(10);
  const Layout layout = test::random_batch(rng, MaskPolicy::question, 2).layout;
  const AttentionTables tables = lower_plan(make_plan(layout));
  const Inputs inputs = random_inputs(rng, layout.rows(), 2, 1, at::kDouble, 4);
  const auto gradients = planned(layout, inputs);
  const at::Tensor* const tensors[] = {&inputs.q, &inputs.k, &inputs.v};
  constexpr double kStep = 1e-5;
  for (int i = 0; i < 60; ++i) {
    const at::Tensor x = tensors[i % 3]->view(-1);
    const auto at = static_cast<int64_t>(rng.below(x.numel()));
    const double middle = x[at].item<double>();
    double sums[2];
    for (int side = 0; side < 2; ++side) {
      x[at].fill_(middle + (side == 0 ? kStep : -kStep));
      const auto out = planned_attention(tables, inputs.q, inputs.k, inputs.v, kScale);
      sums[side] = (out * inputs.d_out).sum().item<double>();
    }
    x[at].fill_(middle);
    EXPECT_NEAR((sums[0] - sums[1]) / (2 * kStep), gradients[1 + i % 3].view(-1)[at].item<double>(),
                1e-7);
  }
}

TEST(AttentionTables, PaddingIsBoundedAndEveryRowHasOneQuery) {
  Rng rng(11);
  for (const MaskPolicy policy : kPolicies) {
    const AttentionPlan plan = test::random_batch(rng, policy, 60).plan;
    const AttentionTables tables = lower_plan(plan);
    const auto& first = tables.lowered->queries.first_of_row();
    for (int64_t row = 0; row < plan.rows; ++row) EXPECT_EQ(first[row + 1] - first[row], 1);
    EXPECT_GE(tables.padded_scores, plan.num_scores());
    EXPECT_GE(tables.gathered_keys, plan.num_keys());
    int64_t real = 0;
    for (const auto& run : plan.runs) real += int64_t{run.num_queries()} * run.num_keys();
    const auto groups = static_cast<int64_t>(tables.lowered->groups.size());
    EXPECT_LE(tables.padded_scores - real, std::max<int64_t>(groups * 4096, real / 4));
  }
}

TEST(AttentionTables, PicturesOfOneSizeNeedNoMask) {
  std::vector<Sample> samples(5);
  std::vector<const Sample*> pointers;
  for (Sample& sample : samples) {
    sample.images.push_back({.path = "picture", .encoded = {}});
    sample.conversations.resize(1);
    test::append_image(sample.conversations[0], 50);
    pointers.push_back(&sample);
  }
  const Batch batch = compose(pointers, {.policy = MaskPolicy::image, .rows_per_image = 50});
  const AttentionTables tables = lower_plan(batch.plan);
  ASSERT_EQ(tables.lowered->groups.size(), 1u);
  EXPECT_TRUE(tables.lowered->groups[0].seen.empty());
  EXPECT_EQ(tables.padded_scores, batch.plan.num_scores());
}

TEST(PlannedAttention, WrongShapesAreAsserted) {
  Rng rng(12);
  const AttentionTables tables = lower_plan(make_plan(test::random_layout(rng)));
  const Inputs few = random_inputs(rng, tables.rows - 1, 4, 2);
  EXPECT_THROW(planned_attention(tables, few.q, few.k, few.v, kScale), AssertionError);
  const Inputs odd = random_inputs(rng, tables.rows, 4, 3);
  EXPECT_THROW(planned_attention(tables, odd.q, odd.k, odd.v, kScale), AssertionError);
}

}  // namespace
}  // namespace sightline
