#include "train/schedule.h"

#include <cmath>

#include <gtest/gtest.h>

namespace sightline {
namespace {

StageRecipe stage_of(Schedule schedule) {
  StageRecipe stage;
  stage.schedule = schedule;
  stage.warmup = 0.1;
  stage.decay_share = 0.25;
  stage.final_lr = 0.2;
  return stage;
}

double at(const StageRecipe& stage, double progress) {
  return schedule_factor(stage, progress, progress + 0.01);
}

TEST(ScheduleFactor, WarmsUpByTheStepsEnd) {
  for (const Schedule schedule :
       {Schedule::cosine, Schedule::constant, Schedule::linear, Schedule::wsd}) {
    EXPECT_NEAR(at(stage_of(schedule), 0.0), 0.1, 1e-12);
    EXPECT_NEAR(at(stage_of(schedule), 0.04), 0.5, 1e-12);
    EXPECT_NEAR(at(stage_of(schedule), 0.1), 1.0, 1e-12);
  }
}

TEST(ScheduleFactor, FallsAsItsNameSays) {
  EXPECT_EQ(at(stage_of(Schedule::constant), 0.99), 1.0);

  const StageRecipe cosine = stage_of(Schedule::cosine), linear = stage_of(Schedule::linear);
  EXPECT_NEAR(at(cosine, 0.55), 0.6, 1e-12);  // half way between 1 and 0.2
  EXPECT_NEAR(at(cosine, 0.325), 0.2 + 0.8 * 0.5 * (1 + std::sqrt(0.5)), 1e-12);
  EXPECT_NEAR(at(cosine, 1.0), 0.2, 1e-12);
  EXPECT_NEAR(at(linear, 0.55), 0.6, 1e-12);
  EXPECT_NEAR(at(linear, 0.325), 0.8, 1e-12);
  EXPECT_NEAR(at(linear, 1.0), 0.2, 1e-12);

  const StageRecipe wsd = stage_of(Schedule::wsd);
  EXPECT_EQ(at(wsd, 0.5), 1.0);
  EXPECT_EQ(at(wsd, 0.75), 1.0);
  EXPECT_NEAR(at(wsd, 0.875), 0.6, 1e-12);
  EXPECT_NEAR(at(wsd, 1.0), 0.2, 1e-12);
}

TEST(OfPart, TakesThePartsNumberElseTheBase) {
  const ByPart numbers{.base = 1, .vision = 2, .connector = {}, .language = 4};
  EXPECT_EQ(of_part(numbers, "vision.layernorm.weight"), 2);
  EXPECT_EQ(of_part(numbers, "connector.linear_1.weight"), 1);
  EXPECT_EQ(of_part(numbers, "language.lm_head.weight"), 4);
  EXPECT_EQ(of_part(numbers, "reconstruct.mask_token"), 1);
}

TEST(LayerShare, FallsFromTheHighestLayerToTheEmbeddings) {
  const auto share = [](const char* name) { return layer_share(0.5, name, 3); };
  EXPECT_EQ(share("vision.layernorm.weight"), 1);
  EXPECT_EQ(share("vision.encoder.layer.2.output.dense.weight"), 1);
  EXPECT_EQ(share("vision.encoder.layer.1.layernorm_before.weight"), 0.5);
  EXPECT_EQ(share("vision.encoder.layer.0.output.dense.bias"), 0.25);
  EXPECT_EQ(share("vision.embeddings.position_embeddings"), 0.125);
  EXPECT_EQ(share("language.lm_head.weight"), 1);
  EXPECT_EQ(share("language.model.norm.weight"), 1);
  EXPECT_EQ(share("language.model.layers.0.mlp.up_proj.weight"), 0.25);
  EXPECT_EQ(share("language.model.embed_tokens.weight"), 0.125);
  EXPECT_EQ(share("connector.linear_1.weight"), 1);
  EXPECT_EQ(share("reconstruct.head.weight"), 1);
}

}  // namespace
}  // namespace sightline
