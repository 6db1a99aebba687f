#include "plan/feature_plan.h"

#include "base/error.h"

#include <algorithm>

namespace sightline {

namespace {

// Of a sample that is bad and passed over, none.
std::vector<ImageSource> images_of(const Dataset& dataset, size_t number, OnBadSample on_bad) {
  try {
    return dataset.example(number).images;
  } catch (const Error&) {
    if (on_bad == OnBadSample::fail) throw;
    return {};
  }
}

// How many, by their names; those of a table whose samples are all alike by the table's.
using Pictures = std::map<std::string, int64_t>;

bool is_uniform(const DataRecipe& table, const StagePlan& planned) {
  return planned.assumed || table.format == DataFormat::scenes;
}

Pictures pictures_of(const StageRecipe& stage, const StageData& data, const Recipe& recipe,
                     const StagePlan& planned) {
  Pictures shown;
  for (size_t e = 0; e < data.datasets.size(); ++e) {
    const Dataset& dataset = *data.datasets[e];
    const std::string& table = stage.mixture[e].data;
    const DataRecipe& read = recipe.data.at(table);
    if (is_uniform(read, planned)) {
      shown[table + "/"] =
          std::ssize(dataset.example(0).images) * static_cast<int64_t>(dataset.size());
      continue;
    }
    for (size_t i = 0; i < dataset.size(); ++i) {
      for (const ImageSource& image : images_of(dataset, i, read.on_bad_sample)) {
        shown[image.name()] = 1;
      }
    }
  }
  return shown;
}

}  // namespace

FeaturePlan StoredFeatures::add(const StageRecipe& stage, const StageData& data,
                                const ModelConfig& config, const Recipe& recipe,
                                const StagePlan& stage_plan) {
  const VisionConfig& vision = *config.vision;
  FeaturePlan planned{.depth = stored_depth(stage, config)};
  const int64_t version = std::ranges::count_if(
      lowest_trained_, [&](int64_t lowest) { return lowest < planned.depth; });
  std::set<std::string>& stored = stored_[{planned.depth, version}];
  for (const auto& [name, count] : pictures_of(stage, data, recipe, stage_plan)) {
    planned.pictures += count;
    if (stored.insert(name).second) planned.computed += count;
  }
  const bool finished = planned.depth > vision.num_hidden_layers;
  const int64_t tokens = vision.num_patches() + (finished ? 0 : vision.class_tokens());
  const auto computed = static_cast<double>(planned.computed);
  planned.flops = computed * stored_features_flops(vision, planned.depth);
  planned.bytes = computed * 2.0 * static_cast<double>(tokens * vision.hidden_size);
  return planned;
}

}  // namespace sightline
