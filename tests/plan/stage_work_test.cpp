// A stage's work counted by hand: of assumed data, whose samples are all alike.

#include "plan/stage_work.h"

#include "base/error.h"
#include "base/file.h"
#include "plan/assumed.h"
#include "tests/support.h"
#include "tests/tiny_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

constexpr int64_t kRows = 4;  // a picture's, of the tiny model

struct Stage {
  ModelConfig config = test::tiny_config({});
  StageRecipe stage{.name = "one", .train = {"connector"}, .step_tokens = 120, .micro_tokens = 60};
  AssumedData data{.samples = 90, .images = 1, .turns = 2, .user = 5, .answer = 3};

  StageWork work(int64_t samples = 0) const {
    const PromptTemplate prompt_template = assumed_template();
    const SampleEncoder encoder(prompt_template, kRows);
    const auto dataset = assumed_dataset("web", data);
    LoaderOptions options;
    options.entries = {{.dataset = dataset.get()}};
    options.encoder = &encoder;
    options.compose = {.policy = MaskPolicy::image, .rows_per_image = kRows};
    options.step_tokens = stage.step_tokens;
    options.micro_tokens = stage.micro_tokens;
    const FlopCounter flops(config, stage, 3);
    const ActivationCounter activations(config, stage, NumberType::fp32, 3);
    return stage_work(options, stage, {flops, activations}, samples);
  }
};

// A sample is 4 + 2 * (5 + 3) = 20 rows: 3 a micro-batch, 6 a step, 15 steps.
TEST(StageWork, AddsUpWhatIsPacked) {
  const StageWork work = Stage().work();
  EXPECT_EQ(work.samples, 90);
  EXPECT_EQ(work.tokens, 90 * 20);
  EXPECT_EQ(work.images, 90);
  EXPECT_EQ(work.predictions, 90 * 2 * 3);
  EXPECT_EQ(work.micro_batches, 30);
  EXPECT_EQ(work.steps, 15);
  EXPECT_EQ(work.looked_at, 1);
  // A picture's rows see each other; all else sees what is before it.
  EXPECT_EQ(work.scores, 90 * (20 * 21 / 2 + 4 * 3 / 2));
  EXPECT_GE(work.gathered_keys, work.keys);
  EXPECT_GE(work.padded_scores, work.scores);
  EXPECT_EQ(work.first.size(), 15u) << "all, for these are fewer than a probe takes";
  EXPECT_EQ(work.first.front().micro_batches.size(), 2u);
}

TEST(StageWork, OfSomeSamplesIsScaledUp) {
  const StageWork whole = Stage().work(), some = Stage().work(30);
  EXPECT_NEAR(some.looked_at, 30.0 / 90, 0.05);
  EXPECT_NEAR(some.samples, whole.samples, 1e-6);
  EXPECT_NEAR(some.tokens, whole.tokens, 1e-6);
  EXPECT_NEAR(some.steps, whole.steps, 1e-6);
  EXPECT_NEAR(some.flops.total() / whole.flops.total(), 1, 1e-6);
}

TEST(StageWork, MaxStepsEndTheStage) {
  Stage stage;
  stage.stage.max_steps = 5;
  EXPECT_EQ(stage.work().steps, 5);
  EXPECT_EQ(stage.work().samples, 30);
  EXPECT_EQ(stage.work().looked_at, 1);
  stage.stage.max_steps = 10;  // more than the samples that are looked at make
  const StageWork some = stage.work(12);
  EXPECT_NEAR(some.steps, 10, 1e-6);
  EXPECT_NEAR(some.samples, 60, 1e-6);
}

void expect_error(const std::string& text, const std::string& words) {
  const test::TemporaryFolder folder;
  const auto file = folder.path() / "sizes.json";
  write_file(file, text);
  try {
    read_assumed(file);
    ADD_FAILURE() << text;
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr(words));
    EXPECT_THAT(error.what(), testing::HasSubstr("sizes.json"));
  }
}

TEST(Assumed, IsReadAndItsMistakesNamed) {
  const test::TemporaryFolder folder;
  write_file(folder.path() / "sizes.json", R"({"web": {"samples": 7, "user": 17}})");
  const AssumedData web = read_assumed(folder.path() / "sizes.json").at("web");
  EXPECT_EQ(web.samples, 7);
  EXPECT_EQ(web.user, 17);
  EXPECT_EQ(web.images, 1);
  expect_error("[]", "data tables");
  expect_error("{", "sizes.json");
  expect_error(R"({"web": 3})", "\"web\" is no object");
  expect_error(R"({"web": {}})", "samples");
  expect_error(R"({"web": {"samples": 0}})", "\"samples\" is 0");
  expect_error(R"({"web": {"samples": 2.5}})", "samples");
  expect_error(R"({"web": {"samples": 5, "user": 2}})", "\"user\" is 2; it may be 3");
  expect_error(R"({"web": {"samples": 5, "users": 9}})", "\"users\" is not known");
}

}  // namespace
}  // namespace sightline
