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
#include <optional>
#include <string>
#include <vector>

namespace sightline {

// How a stage's model takes its input: all of it that the data depend on.
struct StageForm {
  ModelConfig config;
  MaskPolicy mask = MaskPolicy::image;
  std::optional<Processor> processor;
};

// A stage's data, opened, and what has a loader give them as training does.
struct StageData {
  std::vector<std::unique_ptr<Dataset>> datasets;  // in the order of the mixture
  LoaderOptions loader;                            // without a feature store
  bool shows_pictures = false;
};

// `encoder` is null for a stage that reconstructs; it must outlive the result.
StageData open_stage_data(const Recipe& recipe, const StageRecipe& stage, const StageForm& form,
                          const SampleEncoder* encoder);

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
  StageData data_;
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
