#include "train/optimizer.h"

#include "train/orthogonal.h"

#include <cmath>
#include <map>

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
    stage_.name = std::string("s");
    stage_.optimizer = OptimizerKind::muon;
    stage_.lr.base = 0.01;
    stage_.weight_decay.base = 0.1;
    stage_.clip = 0;
  }

  static ParamMap parameters() {
    ParamMap params;
    for (const auto& [name, shape] :
         NamedShapes{{"language.model.embed_tokens.weight", {20, 16}},
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
      leaf.mutable_grad() = (weight.detach() * number).sin();
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
  const ParamMap state = before.state();
  for (const auto& [name, weight] : second) weight.detach().copy_(first.at(name));
  after.restore([&](const std::string& name) { return state.at(name); });
  set_gradients(second, 2);
  after.step(1.0, 1.0);
  for (const auto& [name, weight] : whole) EXPECT_TRUE(at::equal(weight, second.at(name))) << name;
}

class AdamWTest : public MuonTest {
 protected:
  AdamWTest() { stage_.optimizer = OptimizerKind::adamw; }
};

// A first step of AdamW moves every number by its rate, whatever its gradient.
TEST_F(AdamWTest, MovesEachLayerAtItsOwnRate) {
  stage_.layer_decay = 0.5;
  stage_.weight_decay = {};
  stage_.lr = {.base = 1.0, .vision = {}, .connector = {}, .language = 0.01};
  ParamMap params;
  const std::map<std::string, double> expected = {
      {"language.lm_head.weight", 0.01},
      {"language.model.norm.weight", 0.01},
      {"language.model.layers.1.mlp.up_proj.weight", 0.01},
      {"language.model.layers.0.mlp.up_proj.weight", 0.005},
      {"language.model.embed_tokens.weight", 0.0025}};
  for (const auto& [name, rate] : expected) {
    params.add(name, at::zeros({6, 4}).set_requires_grad(true));
  }
  Optimizer optimizer(stage_, params);
  for (const auto& [name, weight] : params) {
    at::Tensor leaf = weight;
    leaf.mutable_grad() = at::full_like(leaf.detach(), -3.0);
  }
  optimizer.step(0.5, 1.0);
  for (const auto& [name, rate] : expected) {
    EXPECT_NEAR(params.at(name).min().item<double>(), 0.5 * rate, 1e-8) << name;
    EXPECT_NEAR(params.at(name).max().item<double>(), 0.5 * rate, 1e-8) << name;
  }
}

TEST_F(AdamWTest, DecaysThePartsMatricesByTheirOwnNumber) {
  stage_.weight_decay = {.base = 0.1, .vision = 0.5, .connector = {}, .language = {}};
  ParamMap params;
  for (const char* name : {"vision.encoder.layer.0.output.dense.weight",
                           "connector.linear_1.weight", "language.model.embed_tokens.weight"}) {
    params.add(name, at::ones({4, 4}).set_requires_grad(true));
  }
  Optimizer optimizer(stage_, params);
  optimizer.begin_gradients();
  optimizer.end_gradients();
  optimizer.step(1.0, 0.0);  // without a gradient the decay alone moves
  EXPECT_NEAR(params.begin()->second[0][0].item<double>(), 1 - 0.01 * 0.5, 1e-7);
  EXPECT_NEAR(params.at("connector.linear_1.weight")[0][0].item<double>(), 1 - 0.01 * 0.1, 1e-7);
  EXPECT_EQ(params.at("language.model.embed_tokens.weight")[0][0].item<double>(), 1.0);
}

const char* part_of(const std::string& name) {
  return name.starts_with("language.") ? "language" : "connector";
}

// What the optimizer reports against the weights before and after.
TEST_F(MuonTest, ReportsByHowMuchAPartMoved) {
  for (const OptimizerKind kind : {OptimizerKind::adamw, OptimizerKind::muon}) {
    stage_.optimizer = kind;
    ParamMap params = parameters();
    params.add("connector.linear_1.weight", at::randn({7, 16}).set_requires_grad(true));
    // Longer than a piece of adamw_step().
    params.add("connector.linear_1.bias", at::randn({700000}).set_requires_grad(true));
    Optimizer optimizer(stage_, params);
    for (int step = 1; step <= 3; ++step) {
      set_gradients(params, step);
      std::map<std::string, double, std::less<>> gradient, change;
      std::map<std::string, at::Tensor> before;
      for (const auto& [name, weight] : params) {
        before[name] = weight.detach().to(at::kDouble);
        gradient[part_of(name)] += weight.grad().square().sum().item<double>();
      }
      const PartNorms gradients = optimizer.gradient_squares().norms();
      const PartNorms changes = optimizer.step(0.5, 1.0).norms();
      for (const auto& [name, weight] : params) {
        change[part_of(name)] += (weight.detach() - before[name]).square().sum().item<double>();
      }
      ASSERT_EQ(changes.parts.size(), 2u);
      for (const char* part : {"connector", "language"}) {
        const double size = std::sqrt(gradient[part]);
        EXPECT_NEAR(gradients.parts.at(part), size, 1e-5 * size) << part;
        const double moved = std::sqrt(change[part]);
        EXPECT_NEAR(changes.parts.at(part), moved, 1e-4 * moved) << part << ", step " << step;
      }
      EXPECT_NEAR(changes.all, std::sqrt(change["connector"] + change["language"]), 1e-3);
      EXPECT_NEAR(gradients.all, std::sqrt(gradient["connector"] + gradient["language"]), 1e-2);
    }
  }
}

}  // namespace
}  // namespace sightline
