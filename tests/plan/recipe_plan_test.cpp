// The plan of a whole recipe whose data are assumed: parameters, features by stage, time, a probe.

#include "base/error.h"
#include "plan/device.h"
#include "plan/plan.h"
#include "plan/probe.h"
#include "recipe/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

constexpr const char* kRecipe = R"(name = "planned"
[model]
vision = { kind = "siglip", image_size = 32, patch_size = 8, hidden_size = 48, num_hidden_layers = 4, intermediate_size = 96, num_attention_heads = 4 }
language = { vocab_size = 300, hidden_size = 64, num_hidden_layers = 2, intermediate_size = 96 }
connector = "mlp"
tokenizer = "nowhere"
[data.web]
format = "llava"
annotations = "${NOT_SET}/web.json"
images = "nowhere"
[data.mix]
format = "llava"
annotations = "nowhere.json"
images = "nowhere"
limit = 50
[[stage]]
name = "align"
train = ["connector"]
mixture = [{ data = "web" }]
step_tokens = 500
micro_tokens = 250
[[stage]]
name = "again"
train = ["connector", "language"]
mixture = [{ data = "web" }, { data = "mix" }]
step_tokens = 500
micro_tokens = 250
[[stage]]
name = "deepen"
train = ["connector", "vision.layers[2:]", "vision.norm"]
mixture = [{ data = "web" }]
step_tokens = 500
micro_tokens = 250
[[stage]]
name = "seen-anew"
train = ["connector"]
mixture = [{ data = "mix" }]
step_tokens = 500
micro_tokens = 250
)";

Recipe recipe() { return parse_recipe(kRecipe, "planned.toml", {}, PathCheck::later); }

PlanOptions options() {
  PlanOptions options;
  options.assumed["web"] = {.samples = 100, .user = 5, .answer = 4};  // 16 + 9 rows
  options.assumed["mix"] = {.samples = 80, .user = 5, .answer = 4};
  return options;
}

TEST(RecipePlan, ParametersByPart) {
  const RecipePlan plan = plan_recipe(recipe(), options());
  ASSERT_EQ(plan.stages.size(), 4u);
  const auto& parts = plan.stages[1].parts;
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0].part, "vision");
  EXPECT_EQ(parts[0].trained, 0);
  EXPECT_EQ(parts[1].part, "connector");
  EXPECT_EQ(parts[1].trained, 48 * 64 + 64 + 64 * 64 + 64);
  EXPECT_EQ(parts[2].frozen, 0);
  // q, k, v, o, the three of the MLP and two norms a layer; the table and the last norm.
  const int64_t queries = 4 * (64 / 4);
  EXPECT_EQ(parts[2].trained, 2 * (4 * 64 * queries + 3 * 64 * 96 + 2 * 64) + 300 * 64 + 64);
  EXPECT_EQ(plan.stages[1].trained(), parts[1].trained + parts[2].trained);
  // Two of four layers, and the norm.
  const int64_t layer = 4 * (48 * 48 + 48) + 2 * 48 * 96 + 96 + 48 + 4 * 48;
  EXPECT_EQ(plan.stages[2].parts[0].trained, 2 * layer + 2 * 48);
}

TEST(RecipePlan, FeaturesAreStoredOnceForWhatLiesBelowTheCut) {
  const RecipePlan plan = plan_recipe(recipe(), options());
  const FeaturePlan &align = plan.stages[0].features, &again = plan.stages[1].features;
  EXPECT_EQ(align.depth, 5);
  EXPECT_EQ(align.pictures, 100);
  EXPECT_EQ(align.computed, 100);
  EXPECT_EQ(align.bytes, 100 * 16 * 48 * 2);
  EXPECT_EQ(again.pictures, 150);  // limit = 50
  EXPECT_EQ(again.computed, 50);
  EXPECT_EQ(plan.stages[2].features.depth, 2);
  EXPECT_EQ(plan.stages[2].features.computed, 100);
  // The stage before has trained what lies below.
  EXPECT_EQ(plan.stages[3].features.computed, 50);
  const VisionConfig& vision = *plan.config.vision;
  EXPECT_EQ(align.flops, 100 * stored_features_flops(vision, 5));
  EXPECT_EQ(again.flops, 50 * stored_features_flops(vision, 5));
  EXPECT_EQ(plan.stages[0].work.samples, 100);
  EXPECT_TRUE(plan.stages[0].assumed);
}

TEST(RecipePlan, WhatCannotBeAssumedIsRefused) {
  PlanOptions some = options();
  some.assumed.erase("mix");
  try {
    plan_recipe(recipe(), some);
    ADD_FAILURE();
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("\"again\" mixes assumed data"));
  }
  PlanOptions unknown = options();
  unknown.assumed["wbe"] = {.samples = 1};
  EXPECT_THROW(plan_recipe(recipe(), unknown), UsageError);
  Recipe words = recipe();
  words.model.language->config->vocab_size = 0;
  EXPECT_THROW(plan_recipe(words, options()), UsageError);
}

// 10 micro-batches a step on 8 devices take as long as 16; every device makes the optimizer's step.
TEST(Device, TimeByHand) {
  StagePlan stage{.parts = {{.part = "language", .trained = 1'000'000}}};
  stage.work = {.steps = 100, .micro_batches = 1000, .flops = {.forward = 1e15}};
  stage.work.optimizer_flops = 1e13;
  stage.features.flops = 8e13;
  const Rate one{.flops_per_second = 1e12};
  EXPECT_DOUBLE_EQ(stage_time(stage, one).steps, 1000 + 10);
  EXPECT_DOUBLE_EQ(stage_time(stage, one).features, 80);
  const Rate eight{.flops_per_second = 1e12, .link_bytes_per_second = 1e9, .gpus = 8};
  const double sums = 100 * 2 * 7.0 / 8 * 4e6 / 1e9;
  EXPECT_DOUBLE_EQ(stage_time(stage, eight).steps, 200 + 10);
  EXPECT_DOUBLE_EQ(stage_time(stage, eight).communication, sums);
  EXPECT_DOUBLE_EQ(stage_time(stage, eight).features, 10);
  Rate sharded = eight;
  sharded.sharding = Sharding::optimizer;  // the weights follow, in 16 bits
  EXPECT_DOUBLE_EQ(stage_time(stage, sharded).steps, 200 + 10.0 / 8);
  EXPECT_DOUBLE_EQ(stage_time(stage, sharded).communication, sums + 100 * 7.0 / 8 * 2e6 / 1e9);
  sharded.sharding = Sharding::gradients;  // two micro-batches each: the sums go round twice
  EXPECT_DOUBLE_EQ(stage_time(stage, sharded).communication, 100 * 7.0 / 8 * (2 * 4e6 + 2e6) / 1e9);
}

// A micro-batch's backward of 0.5 s a step hides seven eighths of the sums, or as much as it can.
TEST(Device, SumsTravelWhileBackwardGoesOn) {
  StagePlan stage{.parts = {{.part = "language", .trained = 1'000'000}}};
  stage.work = {
      .steps = 10, .micro_batches = 20, .flops = {.forward = 5e12, .input_gradients = 4e12}};
  stage.work.flops.weight_gradients = 6e12;
  Rate rate{.flops_per_second = 1e12, .link_bytes_per_second = 1e8, .gpus = 2};
  rate.overlapped = 0.875;
  const double sums = 10 * 4e6 / 1e8;
  EXPECT_DOUBLE_EQ(stage_time(stage, rate).hidden, sums * 0.875);
  EXPECT_DOUBLE_EQ(stage_time(stage, rate).communication, sums * 0.125);
  rate.link_bytes_per_second = 1e6;
  EXPECT_DOUBLE_EQ(stage_time(stage, rate).hidden, 10 * 0.5);
  EXPECT_DOUBLE_EQ(stage_time(stage, rate).communication, 100 * sums - 10 * 0.5);
  const Cluster two{.gpus = 2};
  EXPECT_EQ(rate_of(*device_named("h100"), {.side_by_side = 2}, 0.5, two).overlapped, 0);
  const Rate halved = rate_of(*device_named("h100"), {.gradient_sums = NumberType::bf16}, 0.5, two);
  EXPECT_EQ(halved.gradient_bytes, 2);
}

TEST(Device, MishapsByHand) {
  StagePlan stage{.work = {.steps = 100},
                  .memory = {.weights = 2e9, .masters = 4e9, .optimizer = 8e9}};
  StageTime time{.steps = 360'000};
  const Mishaps mishaps{
      .hours_between_failures = 1000, .restart_seconds = 400, .bytes_written_a_second = 1e9};
  add_mishaps(time, stage, {.gpus = 5, .machines = 2}, {.every = 10}, mishaps);
  EXPECT_DOUBLE_EQ(time.checkpoints, 10 * 14);
  // 100 hours on 10 GPUs: one failure, which costs half of 36,000 s and a restart.
  EXPECT_DOUBLE_EQ(time.restarts, 18'000 + 400);
  StageTime background{.steps = 360'000};
  add_mishaps(background, stage, {.gpus = 5, .machines = 2}, {.every = 10, .background = true},
              mishaps);
  EXPECT_DOUBLE_EQ(background.checkpoints, 10 * 1.4);
  EXPECT_DOUBLE_EQ(background.restarts, 18'000 + 14 + 400);
  StageTime hasty{.steps = 100};
  add_mishaps(hasty, stage, {.gpus = 5, .machines = 2}, {.every = 10, .background = true}, mishaps);
  EXPECT_DOUBLE_EQ(hasty.checkpoints, 10 * (1.4 + 14 - 10)) << "the next one waits for it";
  StageTime sharded{.steps = 360'000};
  stage.memory.masters /= 10;  // of one rank
  stage.memory.optimizer /= 10;
  add_mishaps(sharded, stage, {.gpus = 5, .machines = 2, .sharding = Sharding::optimizer},
              {.every = 10}, mishaps);
  EXPECT_DOUBLE_EQ(sharded.checkpoints, 10 * (2 + 6)) << "two machines write at once";
}

TEST(Device, RatesAreAShareOfThePeak) {
  const Rate rate = rate_of(*device_named("h100"), {.numbers = NumberType::bf16}, 0.5, {.gpus = 8});
  EXPECT_DOUBLE_EQ(rate.flops_per_second, 0.5 * 989.4e12);
  EXPECT_EQ(rate.gpus, 8);
  EXPECT_LT(rate_of(*device_named("h100"), {}, 0.5, {.gpus = 8}).flops_per_second, 40e12);
  EXPECT_EQ(device_named("abacus"), nullptr);
  const Rate far = rate_of(*device_named("h100"), {.numbers = NumberType::bf16}, 0.5,
                           {.gpus = 8, .machines = 4, .link_gbit = 400});
  EXPECT_EQ(far.gpus, 32);
  EXPECT_DOUBLE_EQ(far.link_bytes_per_second, 50e9) << "the ring's slowest link";
}

TEST(Probe, TimesAStepOfEveryStage) {
  const Recipe planned = recipe();
  const RecipePlan plan = plan_recipe(planned, options());
  for (size_t i = 0; i < plan.stages.size(); ++i) {
    const auto probe = probe_stage(planned, planned.stages[i], plan, plan.stages[i], {1e10});
    ASSERT_TRUE(probe.has_value());
    EXPECT_GT(probe->flops_per_second, 1e6);
    EXPECT_GT(probe->feature_seconds, 0);
    EXPECT_EQ(probe->picture_seconds, 0);  // there are none
    const StageTime time = probed_time(plan.stages[i], *probe, 2);
    EXPECT_DOUBLE_EQ(time.steps, plan.stages[i].work.flops_in_all() / probe->flops_per_second);
    EXPECT_GT(time.all(), time.steps);
  }
  // So slow a machine that not one micro-batch is tried.
  EXPECT_FALSE(probe_stage(planned, planned.stages[0], plan, plan.stages[0], {1.0}).has_value());
}

}  // namespace
}  // namespace sightline
