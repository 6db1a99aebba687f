#include "train/weight_average.h"

#include "train/optimizer.h"

#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

constexpr double kDecay = 0.9;

StageRecipe stage() {
  StageRecipe stage;
  stage.name = std::string("s");
  stage.lr.base = 0.1;
  return stage;
}

// Weights of one dtype, moved by an optimizer, with their average.
struct Trained {
  explicit Trained(at::ScalarType dtype) {
    at::manual_seed(1);
    params.add("connector.linear_1.weight", at::randn({5, 3}).to(dtype).set_requires_grad(true));
    params.add("language.model.norm.weight", at::ones({4}).to(dtype));  // frozen
    optimizer.emplace(stage(), params);
    average.emplace(kDecay, optimizer->trained());
  }
  const at::Tensor& weight() const { return params.at("connector.linear_1.weight"); }
  at::Tensor master() const { return optimizer->trained().at(0).master.numbers(); }
  void step(int64_t number) {
    at::Tensor leaf = weight();
    leaf.mutable_grad() = (master() * static_cast<double>(number)).cos();
    optimizer->step(1.0, 0.0);
    average->update(number);
  }
  at::Tensor averaged() const { return average->state().begin()->second; }

  ParamMap params;
  std::optional<Optimizer> optimizer;
  std::optional<WeightAverage> average;
};

TEST(WeightAverage, IsTheWeightedMeanOfWhatEachStepLeft) {
  Trained trained(at::kFloat);
  EXPECT_TRUE(at::equal(trained.averaged(), trained.weight()));
  std::vector<at::Tensor> seen;
  for (int64_t step = 1; step <= 12; ++step) {
    trained.step(step);
    seen.push_back(trained.weight().detach().to(at::kDouble));
    at::Tensor sum = at::zeros_like(seen[0]);
    double weights = 0;
    for (int64_t k = 1; k <= step; ++k) {
      const double weight = std::pow(kDecay, static_cast<double>(step - k));
      sum += weight * seen[static_cast<size_t>(k - 1)];
      weights += weight;
    }
    EXPECT_LT((trained.averaged() - sum / weights).abs().max().item<double>(), 1e-6) << step;
  }
  EXPECT_EQ(trained.average->state().size(), 1u);  // the frozen parameter has none
}

TEST(WeightAverage, StandsInForTheWeightsAndGoesAgain) {
  for (const auto dtype : {at::kFloat, at::kBFloat16}) {
    Trained trained(dtype);
    for (int64_t step = 1; step <= 3; ++step) trained.step(step);
    const at::Tensor weight = trained.weight().detach().clone();
    const at::Tensor average = trained.averaged().clone();
    ASSERT_FALSE(at::equal(weight.to(at::kFloat), average));
    trained.average->put_in();
    EXPECT_TRUE(at::equal(trained.weight(), average.to(dtype)));
    trained.average->put_back();
    EXPECT_TRUE(at::equal(trained.weight(), weight));
    EXPECT_TRUE(at::equal(trained.averaged(), average));
  }
}

TEST(WeightAverage, GoesOnFromItsStateToTheBit) {
  for (const auto dtype : {at::kFloat, at::kBFloat16}) {
    Trained whole(dtype), first(dtype), second(dtype);
    for (int64_t step = 1; step <= 2; ++step) {
      whole.step(step);
      first.step(step);
    }
    whole.step(3);
    const ParamMap training = first.optimizer->state(), averages = first.average->state();
    second.weight().detach().copy_(first.weight());
    second.optimizer->restore([&](const std::string& name) { return training.at(name); });
    second.average->restore([&](const std::string& name) { return averages.at(name); });
    second.step(3);
    EXPECT_TRUE(at::equal(whole.averaged(), second.averaged()));
    EXPECT_TRUE(at::equal(whole.weight(), second.weight()));
  }
}

}  // namespace
}  // namespace sightline
