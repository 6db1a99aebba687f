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

std::set<std::string> pictures_of(const StageRecipe& stage, const StageData& data,
                                  const Recipe& recipe) {
  std::set<std::string> shown;
  for (size_t e = 0; e < data.datasets.size(); ++e) {
    const Dataset& dataset = *data.datasets[e];
    const std::string& table = stage.mixture[e].data;
    const DataRecipe& read = recipe.data.at(table);
    for (size_t i = 0; i < dataset.size(); ++i) {
      if (read.format == DataFormat::scenes) {  // one each; to draw them would take longer
        shown.insert(fmt::format("{}/{}", table, i));
        continue;
      }
      for (const ImageSource& image : images_of(dataset, i, read.on_bad_sample)) {
        shown.insert(image.path);
      }
    }
  }
  return shown;
}

}  // namespace

FeaturePlan StoredFeatures::add(const StageRecipe& stage, const StageData& data,
                                const ModelConfig& config, const Recipe& recipe) {
  const VisionConfig& vision = *config.vision;
  FeaturePlan planned{.depth = stored_depth(stage, config)};
  const int64_t version = std::ranges::count_if(
      lowest_trained_, [&](int64_t lowest) { return lowest < planned.depth; });
  std::set<std::string>& stored = stored_[{planned.depth, version}];
  const std::set<std::string> shown = pictures_of(stage, data, recipe);
  const size_t before = stored.size();
  stored.insert(shown.begin(), shown.end());
  planned.pictures = std::ssize(shown);
  planned.computed = static_cast<int64_t>(stored.size() - before);
  const bool finished = planned.depth > vision.num_hidden_layers;
  const int64_t tokens = vision.num_patches() + (finished ? 0 : vision.class_tokens());
  const auto computed = static_cast<double>(planned.computed);
  planned.flops = computed * stored_features_flops(vision, planned.depth);
  planned.bytes = computed * 2.0 * static_cast<double>(tokens * vision.hidden_size);
  return planned;
}

}  // namespace sightline
