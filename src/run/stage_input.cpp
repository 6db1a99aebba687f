#include "run/stage_input.h"

#include "base/error.h"
#include "base/rng.h"
#include "features/fill.h"
#include "train/stage_trainer.h"

#include <c10/core/GradMode.h>

namespace sightline {

namespace {

bool shows_pictures(const Dataset& dataset) {
  return dataset.size() > 0 && !dataset.example(0).images.empty();
}

LoaderOptions loader_options(const Recipe& recipe, const StageRecipe& stage, const Bundle& bundle,
                             const SampleEncoder* encoder) {
  LoaderOptions options;
  const ModelConfig& config = bundle.model->config();
  options.encoder = encoder;
  options.compose.policy = bundle.mask;
  options.compose.rows_per_image = config.rows_per_image();
  if (config.vision) options.patches_per_image = config.vision->num_patches();
  if (config.language) options.max_rows = config.language->max_position_embeddings;
  options.processor = bundle.processor;
  options.step_tokens = stage.step_tokens;
  options.micro_tokens = stage.micro_tokens;
  options.look_ahead = recipe.look_ahead;
  options.workers = recipe.workers;
  return options;
}

LoaderEntry loader_entry(const Dataset& dataset, const DataRecipe& data, double weight) {
  return {.dataset = &dataset,
          .weight = weight,
          .captions = data.captions,
          .on_bad_sample = data.on_bad_sample};
}

}  // namespace

StageInput::StageInput(const Recipe& recipe, int64_t stage_index, const Bundle& bundle,
                       const Json& state, const std::string& skipped_log) {
  const StageRecipe& stage = recipe.stages[static_cast<size_t>(stage_index)];
  const ModelConfig& config = bundle.model->config();
  if (stage.objective == Objective::answers) {
    encoder_ = std::make_unique<SampleEncoder>(bundle.encoder());
  }
  LoaderOptions options = loader_options(recipe, stage, bundle, encoder_.get());
  bool pictures = false;
  for (const MixtureEntry& entry : stage.mixture) {
    datasets_.push_back(open_dataset(entry.data, recipe.data.at(entry.data)));
    check(datasets_.back()->size() > 0, "[data.{}]: has no samples", entry.data);
    options.entries.push_back(
        loader_entry(*datasets_.back(), recipe.data.at(entry.data), entry.weight));
    pictures = pictures || shows_pictures(*datasets_.back());
  }
  // Depth 0 would store nothing but embeddings: pixels then, as where the whole vision model
  // trains.
  depth_ = config.vision ? trainable_of(stage, config).lowest_vision_layer() : 0;
  if (depth_ == 0 || stage.objective == Objective::reconstruct) depth_ = kFromPixels;
  if (depth_ != kFromPixels && pictures) {
    store_ = filled_store(bundle, options.entries, {.cache = recipe.cache, .depth = depth_});
    options.store = store_.get();
  }
  options.epochs = stage.epochs;
  options.seed = derive_seed(recipe.seed, stage.name);
  options.skipped_log = skipped_log;
  loader_ = std::make_unique<Loader>(options, state.is_null() ? nullptr : &state);
}

double validation_loss(const Recipe& recipe, const StageRecipe& stage, const Bundle& bundle) {
  const c10::NoGradGuard no_grad;
  DataRecipe data = recipe.data.at(recipe.eval.validation);
  data.captions = CaptionsMode::all;
  if (data.limit == 0 || data.limit > recipe.eval.validation_limit) {
    data.limit = recipe.eval.validation_limit;
  }
  const auto dataset = open_dataset(recipe.eval.validation, data);
  const SampleEncoder encoder = bundle.encoder();
  LoaderOptions options = loader_options(recipe, stage, bundle, &encoder);
  options.entries.push_back(loader_entry(*dataset, data, 1.0));
  options.seed = 0;
  Loader loader(options);
  double sum = 0, predictions = 0;
  while (const auto step = loader.next()) {
    for (const Batch& batch : step->micro_batches) {
      if (batch.num_predictions() == 0) continue;
      sum += batch_loss(*bundle.model, batch, kFromPixels, 1.0).item<double>();
      predictions += static_cast<double>(batch.num_predictions());
    }
  }
  check(predictions > 0, "[data.{}]: has nothing to predict", recipe.eval.validation);
  return sum / predictions;
}

}  // namespace sightline
