// Which features a stage stores; that a run packs as `inspect plan` draws is tests/run's.

#include "train/stage_data.h"

#include "tests/tiny_model.h"

#include <gtest/gtest.h>

namespace sightline {
namespace {

TEST(StageData, FeaturesAreStoredBelowWhatTrains) {
  const ModelConfig config = test::tiny_config({});  // two vision layers
  const auto depth_of = [&](const std::vector<std::string>& train) {
    return stored_depth({.name = "one", .train = train}, config);
  };
  EXPECT_EQ(depth_of({"connector", "language"}), 3);
  EXPECT_EQ(depth_of({"connector", "vision.norm"}), 2);
  EXPECT_EQ(depth_of({"vision.layers[1:]", "vision.norm"}), 1);
  EXPECT_EQ(depth_of({"vision.layers"}), kFromPixels);  // only embeddings would be stored
  EXPECT_EQ(depth_of({"vision"}), kFromPixels);
}

TEST(StageData, NothingIsStoredWithoutAVisionModelOrToReconstruct) {
  const StageRecipe words{.name = "one", .train = {"language"}};
  EXPECT_EQ(stored_depth(words, test::tiny_config({.sees = false})), kFromPixels);
  const StageRecipe pictures{
      .name = "one", .train = {"vision.norm"}, .objective = Objective::reconstruct};
  EXPECT_EQ(stored_depth(pictures, test::tiny_config({})), kFromPixels);
}

}  // namespace
}  // namespace sightline
