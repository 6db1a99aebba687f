// Batches of words alone in a stage that trains only what pictures pass through.

#include "batch/compose.h"
#include "tests/tiny_model.h"
#include "train/stage_trainer.h"

#include <gtest/gtest.h>

namespace sightline {
namespace {

class WordsAlone : public testing::TestWithParam<int64_t> {
 protected:
  Batch batch_of(int images) {
    Sample sample{.where = images > 0 ? "pictures:1" : "words:1"};
    for (int i = 0; i < images; ++i) sample.images.push_back({.path = "a.jpg"});
    sample.conversations = {test::tiny_rows(rng_, images, kRows, 3, 4)};
    const Sample* pointer = &sample;
    Batch batch = compose({&pointer, 1}, {.rows_per_image = kRows});
    for (int i = 0; i < images * 3 * 16 * 16; ++i) {
      batch.pixels.push_back(static_cast<float>(rng_.normal()));
    }
    return batch;
  }

  // One step that trains the connector alone; its weights after it, and its report.
  at::Tensor connector_after(std::vector<Batch> batches, StepReport& report) {
    LoadedStep step{
        .micro_batches = std::move(batches), .num_predictions = 20, .progress_after = 0.5};
    Bundle bundle;
    bundle.model = test::tiny_model();
    bundle.processor = Processor{.size = 16};
    const StageRecipe stage{.name = "align", .train = {"connector"}};
    StageTrainer trainer(bundle, stage, {.depth = kFromPixels, .side_by_side = GetParam()});
    report = trainer.step(step, 0);
    return bundle.model->params().at("connector.linear_1.weight").detach().clone();
  }

  static constexpr int64_t kRows = 4;
  Rng rng_{3};
};

TEST_P(WordsAlone, AddNoGradientAndStopNothing) {
  const Batch picture = batch_of(1), words = batch_of(0);
  StepReport alone, beside, nothing;
  const at::Tensor expected = connector_after({picture}, alone);
  const at::Tensor moved = connector_after({words, picture, words}, beside);
  EXPECT_TRUE(moved.allclose(expected));  // side by side a batch has one thread: other roundings
  EXPECT_NEAR(beside.gradient.all, alone.gradient.all, 1e-6);
  EXPECT_GT(beside.loss, alone.loss);
  EXPECT_EQ(beside.micro_batches, 3);
  const at::Tensor kept = connector_after({words}, nothing);
  EXPECT_EQ(nothing.gradient.all, 0);
  EXPECT_FALSE(kept.equal(expected));
  EXPECT_TRUE(kept.equal(test::tiny_model()->params().at("connector.linear_1.weight")));
}

INSTANTIATE_TEST_SUITE_P(SideBySide, WordsAlone, testing::Values(1, 3));

}  // namespace
}  // namespace sightline
