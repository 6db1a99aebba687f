// Activation checkpointing against its definition: the same loss and gradients, to the bit.

#include "tensor/recompute.h"

#include "base/rng.h"
#include "batch/compose.h"
#include "tensor/side_by_side.h"
#include "tests/tiny_model.h"
#include "train/loss.h"
#include "train/stage_trainer.h"

#include <map>
#include <string>

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

namespace sightline {
namespace {

// Two samples: five captions in branches, and a text alone.
Batch batch_of(const ModelConfig& config) {
  static std::vector<Sample> samples;
  samples.clear();
  Rng rng(3);
  Sample pictures;
  pictures.where = "pictures";
  pictures.images.push_back({.path = "image"});
  const Rows trunk = test::tiny_rows(rng, 1, config.rows_per_image(), 3, 0);
  for (int branch = 0; branch < 5; ++branch) {
    Rows rows = trunk;
    for (int i = 0; i < 4 + branch; ++i) {
      rows.tokens.push_back(static_cast<int32_t>(rng.below(40)));
      rows.kinds.push_back(RowKind::assistant);
      rows.supervised.push_back(1);
    }
    pictures.conversations.push_back(rows);
  }
  Sample text;
  text.where = "text";
  text.conversations.push_back(test::tiny_rows(rng, 0, 0, 2, 7));
  const Sample* pointers[] = {&pictures, &text};
  Batch batch = compose(pointers, {.rows_per_image = config.rows_per_image()});
  const int64_t side = config.vision->image_size;
  for (int64_t i = 0; i < 3 * side * side; ++i) {
    batch.pixels.push_back(static_cast<float>(rng.normal()));
  }
  return batch;
}

// Its masks must be the same when a layer is computed anew.
const ModelDropout kDropout = {{0.2, 1}, {0.2, 2}, {0.2, 3}};

struct Outcome {
  at::Tensor loss;
  std::map<std::string, at::Tensor> gradients;
};

Outcome outcome_of(const Model& model, const Batch& batch, Activations activations) {
  Outcome outcome;
  std::vector<std::string> names;
  std::vector<at::Tensor> trained;
  for (const auto& [name, tensor] : model.params()) {
    if (!tensor.requires_grad()) continue;
    names.push_back(name);
    trained.push_back(tensor);
  }
  outcome.loss = batch_loss(model, batch, kFromPixels, 7.0, kDropout, activations);
  const auto gradients = torch::autograd::grad({outcome.loss}, trained, {}, std::nullopt, false,
                                               /*allow_unused=*/true);
  for (size_t i = 0; i < names.size(); ++i) outcome.gradients[names[i]] = gradients[i];
  return outcome;
}

void expect_same(const Outcome& plain, const Outcome& other) {
  EXPECT_TRUE(at::equal(plain.loss, other.loss));
  ASSERT_EQ(plain.gradients.size(), other.gradients.size());
  for (const auto& [name, gradient] : plain.gradients) {
    const at::Tensor& found = other.gradients.at(name);
    ASSERT_EQ(gradient.defined(), found.defined()) << name;
    if (gradient.defined()) {
      EXPECT_TRUE(at::equal(gradient, found)) << name;
    }
  }
}

void freeze(Model& model, const std::string& prefix) {
  for (const auto& [name, tensor] : model.params()) {
    tensor.set_requires_grad(prefix.empty() || !name.starts_with(prefix));
  }
}

TEST(Recompute, GivesTheGradientsOfWhatIsKept) {
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    for (const char* frozen : {"", "vision.", "language.", "language.model.layers.0."}) {
      const auto model = test::tiny_model({.dtype = dtype});
      freeze(*model, frozen);
      const Batch batch = batch_of(model->config());
      const Outcome plain = outcome_of(*model, batch, Activations::kept);
      SCOPED_TRACE(frozen);
      expect_same(plain, outcome_of(*model, batch, Activations::recomputed));
    }
  }
}

TEST(Recompute, AddsToGradientsAsBackwardDoes) {
  const auto model = test::tiny_model();
  freeze(*model, "vision.");
  const Batch batch = batch_of(model->config());
  const Outcome plain = outcome_of(*model, batch, Activations::kept);
  batch_loss(*model, batch, kFromPixels, 7.0, kDropout, Activations::recomputed).backward();
  for (const auto& [name, gradient] : plain.gradients) {
    EXPECT_TRUE(at::equal(gradient, model->params().at(name).grad())) << name;
  }
}

TEST(Recompute, WorksOnSeveralThreadsAtOnce) {
  const auto model = test::tiny_model();
  freeze(*model, "");
  const Batch batch = batch_of(model->config());
  // On one thread each: other numbers of threads round otherwise.
  std::vector<Outcome> outcomes(5);
  side_by_side(5, [&](int64_t i) {
    outcomes[static_cast<size_t>(i)] =
        outcome_of(*model, batch, i == 0 ? Activations::kept : Activations::recomputed);
  });
  for (const Outcome& outcome : outcomes) expect_same(outcomes[0], outcome);
}

// The piece's activations are gone once it is left: of a piece that doubles its input often, only
// the input is held.
TEST(Recompute, KeepsOnlyWhatGoesIn) {
  int calls = 0;
  const at::Tensor x = (random_parameter("x", {8}, 1)).set_requires_grad(true);
  const at::Tensor y = recomputed(
      [&](const at::Tensor& input) {
        ++calls;
        return input * input;
      },
      x, {});
  EXPECT_EQ(calls, 1);
  y.sum().backward();
  EXPECT_EQ(calls, 2);
  EXPECT_TRUE(at::equal(x.grad(), 2 * x));
}

}  // namespace
}  // namespace sightline
