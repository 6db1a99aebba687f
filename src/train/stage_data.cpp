#include "train/stage_data.h"

#include "base/error.h"
#include "base/rng.h"
#include "data/row_bounds.h"
#include "data/split_long.h"
#include "recipe/trainable.h"
#include "train/stage_trainer.h"

#include <utility>

namespace sightline {

LoaderOptions loader_options(const Recipe& recipe, const StageRecipe& stage, const StageForm& form,
                             const SampleEncoder* encoder) {
  LoaderOptions options;
  const ModelConfig& config = form.config;
  options.encoder = encoder;
  options.compose.policy = form.mask;
  options.compose.rows_per_image = config.rows_per_image();
  if (config.vision) options.patches_per_image = config.vision->num_patches();
  if (config.language) options.max_rows = config.language->max_position_embeddings;
  options.processor = form.processor;
  options.step_tokens = stage.step_tokens;
  options.micro_tokens = stage.micro_tokens;
  options.look_ahead = recipe.look_ahead;
  options.workers = recipe.workers;
  return options;
}

LoaderEntry loader_entry(const Dataset& dataset, const DataRecipe& data) {
  return {.dataset = &dataset, .captions = data.captions, .on_bad_sample = data.on_bad_sample};
}

std::unique_ptr<Dataset> open_stage_table(const std::string& name, const DataRecipe& data,
                                          const LoaderOptions& options) {
  auto dataset = open_dataset(name, data);
  check(dataset->size() > 0, "{}: [data.{}] holds no sample: leave it out, or mend it", data.where,
        name);
  if (data.too_long != TooLong::split || options.encoder == nullptr) return dataset;
  return split_long(std::move(dataset), *options.encoder,
                    tighter(options.max_rows, options.micro_tokens));
}

// Scenes are drawn when they are asked for, so their recipe tells.
bool shows_pictures(const Dataset& dataset, const DataRecipe& data) {
  if (data.format == DataFormat::scenes) return data.task != "text";
  for (size_t i = 0; i < dataset.size(); ++i) {
    try {
      if (!dataset.example(i).images.empty()) return true;
    } catch (const Error&) {
      if (data.on_bad_sample == OnBadSample::fail) throw;
    }
  }
  return false;
}

StageData open_stage_data(const Recipe& recipe, const StageRecipe& stage, const StageForm& form,
                          const SampleEncoder* encoder) {
  StageData result{.loader = loader_options(recipe, stage, form, encoder)};
  for (const MixtureEntry& entry : stage.mixture) {
    DataRecipe data = recipe.data.at(entry.data);
    data.limit = tighter(data.limit, entry.limit);
    result.datasets.push_back(open_stage_table(entry.data, data, result.loader));
    const Dataset& dataset = *result.datasets.back();
    LoaderEntry& loaded = result.loader.entries.emplace_back(loader_entry(dataset, data));
    loaded.weight = entry.weight;
    loaded.repeats = entry.repeats;
    loaded.augment = {data.augment.crop, data.augment.flip, data.augment.colour};
    result.shows_pictures = result.shows_pictures || shows_pictures(dataset, data);
  }
  result.loader.epochs = stage.epochs;
  result.loader.seed = derive_seed(recipe.seed, stage.name);
  return result;
}

// Depth 0 would store nothing but embeddings: pixels then, as where the whole vision model trains.
int64_t stored_depth(const StageRecipe& stage, const ModelConfig& config) {
  if (!config.vision || stage.objective == Objective::reconstruct) return kFromPixels;
  if (!stage.store_features) return kFromPixels;
  const int64_t depth = trainable_of(stage, config).lowest_vision_layer();
  return depth == 0 ? kFromPixels : depth;
}

}  // namespace sightline
