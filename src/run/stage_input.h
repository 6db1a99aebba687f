#pragma once
// What a stage reads, opened: data sets, the feature store where the vision model's lower part is
// frozen, and the loader over them.

#include "bundle/bundle.h"
#include "data/dataset.h"
#include "data/feature_store.h"
#include "data/loader.h"
#include "recipe/recipe.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sightline {

class StageInput {
 public:
  // Fills the feature store (which may take minutes, with progress) before it returns. `state` is
  // where the stream goes on, or null.
  StageInput(const Recipe& recipe, int64_t stage_index, const Bundle& bundle, const Json& state,
             const std::string& skipped_log);

  Loader& loader() { return *loader_; }
  // The vision model's cut at which batches carry features, or kFromPixels.
  int64_t depth() const { return depth_; }

 private:
  std::vector<std::unique_ptr<Dataset>> datasets_;
  std::unique_ptr<SampleEncoder> encoder_;
  std::unique_ptr<FeatureStore> store_;
  std::unique_ptr<Loader> loader_;
  int64_t depth_ = 0;
};

// Whether any sample has a picture.
bool shows_pictures(const Dataset& dataset, const DataRecipe& data);

// Mean loss per supervised token over [eval].validation, one pass in a fixed order.
double validation_loss(const Recipe& recipe, const StageRecipe& stage, const Bundle& bundle);

}  // namespace sightline
