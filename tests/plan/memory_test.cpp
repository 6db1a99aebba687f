// Memory that the plan counts against what LibTorch allocates in a step, byte by byte.

#include "plan/memory.h"

#include "tests/plan/cases.h"
#include "train/stage_data.h"
#include "train/stage_trainer.h"

#include <algorithm>

#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

// Told of every allocation of a tensor's memory on this thread.
class Watch : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void*, int64_t size, size_t, size_t, c10::Device) override {
    now += static_cast<double>(size);
    peak = std::max(peak, now);
  }
  bool memoryProfilingEnabled() const override { return true; }

  double now = 0, peak = 0;
};

class Watching {
 public:
  Watching()
      : watch_(std::make_shared<Watch>()), guard_(c10::DebugInfoKind::PROFILER_STATE, watch_) {}
  double now() const { return watch_->now; }
  double peak() const { return watch_->peak; }

 private:
  std::shared_ptr<Watch> watch_;
  c10::DebugInfoGuard guard_;
};

struct Sizes {
  double saved = 0, lasting = 0, peak = 0;
};

// The model's own weights are allocated before.
Sizes allocated(const test::Case& each, NumberType numbers) {
  const StageRecipe stage = test::stage_of(each);
  const int64_t depth = stored_depth(stage, each.config);
  const LoadedStep step = test::step_of(each, depth);
  Bundle bundle = test::bundle_of(each, numbers == NumberType::bf16 ? at::kBFloat16 : at::kFloat);
  Sizes sizes;
  const Watching watching;
  StageTrainer trainer(bundle, stage, {.depth = depth});
  trainer.step(step, 0);  // the first sets up
  for (const auto& [name, weight] : bundle.model->params()) weight.mutable_grad() = at::Tensor();
  sizes.lasting = watching.now();
  {
    const auto activations =
        each.checkpoint_activations ? Activations::recomputed : Activations::kept;
    const at::Tensor loss = batch_loss(*bundle.model, step.micro_batches.front(), depth,
                                       static_cast<double>(step.num_predictions), {}, activations);
    sizes.saved = watching.now() - sizes.lasting;
  }
  const Watching again;
  trainer.step(step, 1);
  sizes.peak = sizes.lasting + again.peak();
  return sizes;
}

Memory planned(const test::Case& each, NumberType numbers) {
  const StageRecipe stage = test::stage_of(each);
  const int64_t depth = stored_depth(stage, each.config);
  const BatchWork work = work_of(test::step_of(each, depth).micro_batches.front());
  const Recipe recipe{.numbers = numbers};
  return memory_of({.config = each.config,
                    .recipe = recipe,
                    .stage = stage,
                    .depth = depth,
                    .largest = ActivationCounter(each.config, stage, numbers, depth).of(work)});
}

// Enough samples that a step's memory outweighs what does not grow with it.
std::vector<test::Case> cases() {
  std::vector<test::Case> list = test::cases();
  for (test::Case& each : list) each.samples = 24;
  return list;
}

TEST(Memory, IsWhatLibTorchAllocates) {
  for (const NumberType numbers : {NumberType::fp32, NumberType::bf16}) {
    for (const test::Case& each : cases()) {
      const Sizes sizes = allocated(each, numbers);
      const Memory memory = planned(each, numbers);
      const double lasting = memory.lasting() - memory.weights;
      EXPECT_NEAR(lasting / sizes.lasting, 1.0, 0.02) << each.what;
      EXPECT_NEAR(memory.activations / sizes.saved, 1.0, 0.04) << each.what;
      // In bf16 oneDNN copies the factors of a weight's gradient, 0.3 to 1.8 MB whatever the
      // shapes, through LibTorch's allocator: they are not counted, and these models are of 4 MB.
      const double bound = numbers == NumberType::bf16 ? 0.12 : 0.07;
      EXPECT_NEAR((memory.training() - memory.weights) / sizes.peak, 1.0, bound) << each.what;
      printf("%-28s %s: lasting %.3f, saved %.3f, peak %.3f of what was allocated\n",
             each.what.c_str(), numbers == NumberType::bf16 ? "bf16" : "fp32",
             lasting / sizes.lasting, memory.activations / sizes.saved,
             (memory.training() - memory.weights) / sizes.peak);
    }
  }
}

// By hand.
TEST(Memory, OfParametersByKind) {
  test::Case each{.what = "connector", .config = test::siglip_qwen2(), .train = {"connector"}};
  const Memory bf16 = planned(each, NumberType::bf16), fp32 = planned(each, NumberType::fp32);
  const double connector = 48 * 64 + 64 + 64 * 64 + 64;
  EXPECT_EQ(bf16.weights * 2, fp32.weights);
  EXPECT_EQ(bf16.masters, 2 * connector);
  EXPECT_EQ(fp32.masters, 0);    // the weights themselves
  EXPECT_EQ(bf16.gradients, 0);  // of one micro-batch a step
  EXPECT_EQ(bf16.optimizer, 8 * connector);
  EXPECT_EQ(bf16.averages, 0);
  each.optimizer = OptimizerKind::muon;  // the connector's matrices: one moment
  EXPECT_EQ(planned(each, NumberType::bf16).optimizer, 4 * (48 * 64 + 64 * 64) + 8 * 128);
}

TEST(Memory, LanesSideBySideAndBatchesOnTheHost) {
  const test::Case each{
      .what = "all", .config = test::tiny_config({}), .train = {"vision", "connector", "language"}};
  const StageRecipe stage = test::stage_of(each);
  Recipe recipe{.look_ahead = 10, .side_by_side = 2};
  const MemoryInput input{.config = each.config,
                          .recipe = recipe,
                          .stage = stage,
                          .depth = kFromPixels,
                          .largest = {.saved = 1e6, .working = 1e3},
                          .images_a_step = 3};
  const Memory memory = memory_of(input);
  EXPECT_EQ(memory.activations, 2e6);
  EXPECT_EQ(memory.working, 2e3);
  EXPECT_EQ(memory.batches, (4 * 3 * 4 + 10) * 3 * 16 * 16);  // fp32 in steps, 8 bits waiting
}

}  // namespace
}  // namespace sightline
