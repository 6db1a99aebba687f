// A stage on a device that is not the CPU: the same losses, norms and weights as on the CPU.

#include "tensor/device.h"

#include "batch/compose.h"
#include "bundle/bundle.h"
#include "model/device_kernels.h"
#include "tests/other_device.h"
#include "tests/other_kernels.h"
#include "tests/tiny_model.h"
#include "train/reconstruct.h"
#include "train/stage_trainer.h"

#include <gtest/gtest.h>

namespace sightline {
namespace {

using test::OnDevice;

constexpr int64_t kRows = 4;

Batch batch_of(Rng& rng, int samples, int images) {
  std::vector<Sample> list(static_cast<size_t>(samples));
  std::vector<const Sample*> pointers;
  for (Sample& sample : list) {
    for (int i = 0; i < images; ++i) sample.images.push_back({.path = "a.jpg"});
    for (int branch = 0; branch < 2; ++branch) {
      sample.conversations.push_back(test::tiny_rows(rng, images, kRows, 3, 4 + branch));
    }
    sample.conversations[1].tokens = sample.conversations[0].tokens;  // branches share a trunk
    sample.conversations[1].kinds = sample.conversations[0].kinds;
    sample.conversations[1].supervised = sample.conversations[0].supervised;
    sample.conversations[1].tokens.back() = 7;
    pointers.push_back(&sample);
  }
  Batch batch = compose(pointers, {.rows_per_image = kRows});
  for (int i = 0; i < samples * images * 3 * 16 * 16; ++i) {
    batch.pixels.push_back(static_cast<float>(rng.normal()));
  }
  return batch;
}

struct After {
  std::vector<StepReport> reports;
  ParamMap weights, state;
  ParamMap numbers;  // of the state: of what rounding left, the masters
};

// What a tensor of a stage's state says: of what rounding left, the masters.
at::Tensor numbers_of(const std::string& name, const at::Tensor& tensor, const ParamMap& params) {
  if (!name.ends_with(".rest")) return tensor.detach();
  return Master{params.at(name.substr(0, name.size() - 5)), tensor}.numbers();
}

After trained_on(at::Device device, const StageRecipe& stage, at::ScalarType dtype) {
  Bundle bundle;
  bundle.model = test::tiny_model({.dtype = dtype});
  bundle.processor = Processor{.size = 16};
  if (stage.objective == Objective::reconstruct) add_reconstruct_parameters(*bundle.model, 1);
  bundle.model->move_to(device);
  StageTrainer trainer(bundle, stage, {.depth = kFromPixels, .seed = 9});
  Rng rng(4);
  After after;
  for (int64_t step = 0; step < 3; ++step) {
    const LoadedStep loaded{.micro_batches = {batch_of(rng, 2, 1), batch_of(rng, 1, 0)},
                            .num_predictions = 20,
                            .progress_before = static_cast<double>(step) / 3,
                            .progress_after = static_cast<double>(step + 1) / 3};
    after.reports.push_back(trainer.step(loaded, step));
  }
  for (const auto& [name, tensor] : trainer.state()) {
    after.state.add(name, tensor.detach().to(at::kCPU, false, /*copy=*/true));
    after.numbers.add(name, numbers_of(name, tensor, bundle.model->params()).cpu());
  }
  trainer.finish();
  for (const auto& [name, tensor] : bundle.model->params()) {
    EXPECT_EQ(tensor.device().type(), device.type()) << name;
    after.weights.add(name, tensor.detach().cpu());
  }
  return after;
}

void expect_same(const ParamMap& found, const ParamMap& expected, double tolerance) {
  ASSERT_EQ(found.size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    EXPECT_TRUE(
        at::allclose(found.at(name).to(at::kDouble), tensor.to(at::kDouble), tolerance, tolerance))
        << name;
  }
}

void expect_same_training(at::Device device, const StageRecipe& stage, at::ScalarType dtype,
                          double tolerance) {
  const After expected = trained_on(at::kCPU, stage, dtype);
  const After found = trained_on(device, stage, dtype);
  for (size_t i = 0; i < expected.reports.size(); ++i) {
    const StepReport &a = found.reports[i], &b = expected.reports[i];
    EXPECT_NEAR(a.loss, b.loss, tolerance * b.loss) << i;
    EXPECT_NEAR(a.gradient.all, b.gradient.all, tolerance * b.gradient.all) << i;
    EXPECT_NEAR(a.update.all, b.update.all, 10 * tolerance * b.update.all) << i;
  }
  expect_same(found.weights, expected.weights, tolerance);
  expect_same(found.numbers, expected.numbers, 10 * tolerance);
}

StageRecipe everything() {
  return {.name = "all",
          .train = {"vision", "connector", "language"},
          .weight_decay = {.base = 0.1},
          .dropout = {.base = 0.1},
          .ema = 0.9,
          .clip = 0.5};
}

TEST_P(OnDevice, TrainsAsTheCpuDoes) {
  expect_same_training(device(), everything(), at::kFloat, 1e-4);
}

TEST_P(OnDevice, TrainsAsTheCpuDoesInBf16) {
  StageRecipe stage = everything();
  stage.dropout = {};
  expect_same_training(device(), stage, at::kBFloat16, 3e-2);
}

TEST_P(OnDevice, RecomputesActivationsAndMovesByMuon) {
  StageRecipe stage = everything();
  stage.checkpoint_activations = true;
  stage.optimizer = OptimizerKind::muon;
  expect_same_training(device(), stage, at::kFloat, 1e-3);
}

TEST_P(OnDevice, LearnsToReconstructPictures) {
  StageRecipe stage = everything();
  stage.train = {"vision"};
  stage.objective = Objective::reconstruct;
  stage.edge_weight = 1.0;
  expect_same_training(device(), stage, at::kFloat, 1e-3);
}

TEST_P(OnDevice, TakesBackItsState) {
  const StageRecipe stage = everything();
  const After after = trained_on(device(), stage, at::kBFloat16);
  Bundle bundle;
  bundle.model = test::tiny_model({.dtype = at::kBFloat16});
  bundle.model->move_to(device());
  StageTrainer trainer(bundle, stage, {.depth = kFromPixels});
  trainer.restore([&](const std::string& name) { return after.state.at(name); });
  for (const auto& [name, tensor] : trainer.state()) {
    EXPECT_TRUE(tensor.cpu().equal(after.state.at(name))) << name;
  }
}

// As on a GPU where the plugin is.
TEST(OtherDevice, TrainsByItsKernels) {
  set_device_kernels(test::kOther, &test::kOtherKernels);
  const int64_t before = test::kernel_calls();
  StageRecipe stage = everything();
  expect_same_training(test::kOther, stage, at::kFloat, 1e-4);
  stage.dropout = {};
  expect_same_training(test::kOther, stage, at::kBFloat16, 3e-2);
  set_device_kernels(test::kOther, nullptr);
  EXPECT_GT(test::kernel_calls(), before + 100);
}

INSTANTIATE_TEST_SUITE_P(Other, OnDevice, testing::Values(test::kOther));
INSTANTIATE_TEST_SUITE_P(Gpu, OnDevice, testing::Values(at::kCUDA));

}  // namespace
}  // namespace sightline
