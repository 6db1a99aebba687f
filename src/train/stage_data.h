#pragma once
// What a stage reads, before any picture or weight is looked at: its data sets, opened, and how the
// loader is to go through them. Training, planning and drawing come through here, so that they pack
// alike.

#include "data/dataset.h"
#include "data/loader.h"
#include "model/model.h"
#include "recipe/recipe.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sightline {

// How a stage's model takes its input: all of it that the data depend on.
struct StageForm {
  ModelConfig config;
  MaskPolicy mask = MaskPolicy::image;
  std::optional<Processor> processor;  // none: pictures are counted and never opened
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

// The same in steps: options without data; a table, opened (without a sample it is an Error); what
// the recipe says of reading it.
LoaderOptions loader_options(const Recipe& recipe, const StageRecipe& stage, const StageForm& form,
                             const SampleEncoder* encoder);
std::unique_ptr<Dataset> open_stage_table(const std::string& name, const DataRecipe& data,
                                          const LoaderOptions& options);
LoaderEntry loader_entry(const Dataset& dataset, const DataRecipe& data);

// Whether any sample has a picture.
bool shows_pictures(const Dataset& dataset, const DataRecipe& data);

// The vision model's cut whose features the stage stores where its data show pictures, or
// kFromPixels.
int64_t stored_depth(const StageRecipe& stage, const ModelConfig& config);

}  // namespace sightline
