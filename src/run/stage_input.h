#pragma once
// What a run's stage reads: its data sets, the feature store where the vision model's lower part is
// frozen, and the loader over them.

#include "bundle/bundle.h"
#include "data/feature_store.h"
#include "data/loader.h"
#include "dist/world.h"
#include "recipe/recipe.h"
#include "train/stage_data.h"

#include <cstdint>
#include <memory>
#include <string>

namespace sightline {

class StageInput {
 public:
  // Fills the feature store (which may take minutes, with progress) before it returns. `state` is
  // where the stream goes on, or null. Of several ranks each makes its share of every step, dealt
  // by operations; all open it together, rank 0 first, which fills the store for all.
  StageInput(const Recipe& recipe, int64_t stage_index, const Bundle& bundle, const Json& state,
             const std::string& skipped_log, World& world);

  Loader& loader() { return *loader_; }
  // The vision model's cut at which batches carry features, or kFromPixels.
  int64_t depth() const { return depth_; }

 private:
  void open_store(const Recipe& recipe, const StageRecipe& stage, const Bundle& bundle,
                  World& world);

  StageData data_;
  std::unique_ptr<SampleEncoder> encoder_;
  std::unique_ptr<FeatureStore> store_;
  std::unique_ptr<Loader> loader_;
  int64_t depth_ = 0;
};

// Mean loss per supervised token over [eval].validation, one pass in a fixed order, shared by the
// ranks.
double validation_loss(const Recipe& recipe, const StageRecipe& stage, const Bundle& bundle,
                       World& world);

}  // namespace sightline
