#include "train/optimizer.h"

#include "train/orthogonal.h"

#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

// Legend: B matrices, M x N each.

TEST(Orthogonal, KeepsTheSingularVectorsAndBringsTheValuesNearOne) {
  at::manual_seed(1);
  for (const auto& [rows, columns] : {std::pair<int64_t, int64_t>{48, 48}, {96, 32}, {32, 96}}) {
    const at::Tensor x_BMN = at::randn({3, rows, columns});
    const at::Tensor y_BMN = orthogonalized(x_BMN);
    ASSERT_EQ(y_BMN.sizes(), x_BMN.sizes());
    const auto [u, s, vh] = at::linalg_svd(x_BMN, /*full_matrices=*/false);
    const at::Tensor inside = u.transpose(1, 2).matmul(y_BMN).matmul(vh.transpose(1, 2));
    const at::Tensor values = inside.diagonal(0, 1, 2);
    EXPECT_LT((inside - at::diag_embed(values)).abs().max().item<double>(), 1e-3);
    // The smallest singular values of a square random matrix are too small for five steps.
    const at::Tensor large = values.masked_select(s > 0.05 * s.max());
    EXPECT_GT(large.min().item<double>(), 0.6);
    EXPECT_LT(large.max().item<double>(), 1.3);
  }
}

TEST(Orthogonal, LeavesZerosAndTakesEachMatrixByItself) {
  at::manual_seed(2);
  const at::Tensor one = at::randn({1, 16, 24});
  const at::Tensor both = orthogonalized(at::cat({at::zeros_like(one), one * 1000}));
  EXPECT_EQ(both[0].abs().max().item<double>(), 0.0);
  EXPECT_LT((both[1] - orthogonalized(one)[0]).abs().max().item<double>(), 1e-4);
}

class MuonTest : public testing::Test {
 protected:
  MuonTest() {
    at::manual_seed(3);
    stage_.name = "s";
    stage_.optimizer = OptimizerKind::muon;
    stage_.lr.base = 0.01;
    stage_.weight_decay.base = 0.1;
    stage_.clip = 0;
  }

  static ParamMap parameters() {
    ParamMap params;
    for (const auto& [name, shape] : std::vector<std::pair<std::string, std::vector<int64_t>>>{
             {"language.model.embed_tokens.weight", {20, 16}},
             {"language.model.layers.0.self_attn.q_proj.weight", {16, 16}},
             {"language.model.layers.0.mlp.up_proj.weight", {40, 16}},
             {"language.model.norm.weight", {16}}}) {
      at::manual_seed(static_cast<uint64_t>(shape[0]));
      params.add(name, at::randn(shape).set_requires_grad(true));
    }
    return params;
  }
  static void set_gradients(const ParamMap& params, double number) {
    for (const auto& [name, weight] : params) {
      at::Tensor leaf = weight;
      leaf.mutable_grad().copy_((weight.detach() * number).sin());
    }
  }

  StageRecipe stage_;
};

TEST_F(MuonTest, MovesHiddenMatricesByTheOrthogonalMomentum) {
  const ParamMap params = parameters();
  Optimizer optimizer(stage_, params);
  const at::Tensor& weight = params.at("language.model.layers.0.mlp.up_proj.weight");
  at::Tensor expected = weight.detach().clone(), momentum = at::zeros_like(expected);
  for (int step = 1; step <= 3; ++step) {
    set_gradients(params, step);
    const at::Tensor gradient = weight.grad().clone();
    momentum = 0.95 * momentum + 0.05 * gradient;
    const at::Tensor direction = 0.95 * momentum + 0.05 * gradient;
    expected = expected * (1 - 0.01 * 0.5 * 0.1) -
               0.01 * 0.5 * 0.2 * std::sqrt(40.0) * orthogonalized(direction.unsqueeze(0))[0];
    optimizer.step(0.5, 1.0);
  }
  EXPECT_LT((weight - expected).abs().max().item<double>(), 1e-5);
}

TEST_F(MuonTest, LeavesEmbeddingsAndNormsToAdamW) {
  const ParamMap muon = parameters(), adamw = parameters();
  Optimizer ours(stage_, muon);
  stage_.optimizer = OptimizerKind::adamw;
  Optimizer theirs(stage_, adamw);
  set_gradients(muon, 1);
  set_gradients(adamw, 1);
  ours.step(1.0, 1.0);
  theirs.step(1.0, 1.0);
  for (const auto& [name, weight] : muon) {
    const bool hidden = name.find("layers") != std::string::npos;
    EXPECT_EQ(at::equal(weight, adamw.at(name)), !hidden) << name;
  }
}

TEST_F(MuonTest, GoesOnFromItsStateToTheBit) {
  const ParamMap whole = parameters(), first = parameters();
  Optimizer through(stage_, whole), before(stage_, first);
  for (int step = 1; step <= 2; ++step) {
    set_gradients(whole, step);
    through.step(1.0, 1.0);
    if (step > 1) break;
    set_gradients(first, step);
    before.step(1.0, 1.0);
  }
  const ParamMap second = parameters();
  Optimizer after(stage_, second);
  after.restore(before.state(), "state");  // the fp32 masters are the weights
  set_gradients(second, 2);
  after.step(1.0, 1.0);
  for (const auto& [name, weight] : whole) EXPECT_TRUE(at::equal(weight, second.at(name))) << name;
}

}  // namespace
}  // namespace sightline
