#include "run/stage_input.h"

#include "base/error.h"
#include "base/rng.h"
#include "data/row_bounds.h"
#include "data/split_long.h"
#include "features/fill.h"
#include "recipe/trainable.h"
#include "train/stage_trainer.h"

#include <utility>

#include <c10/core/GradMode.h>

namespace sightline {

namespace {

StageForm form_of(const Bundle& bundle) {
  return {bundle.model->config(), bundle.mask, bundle.processor};
}

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

std::unique_ptr<Dataset> open_input(const std::string& name, const DataRecipe& data,
                                    const LoaderOptions& options) {
  auto dataset = open_dataset(name, data);
  check(dataset->size() > 0, "{}: [data.{}] holds no sample: leave it out, or mend it", data.where,
        name);
  if (data.too_long != TooLong::split || options.encoder == nullptr) return dataset;
  return split_long(std::move(dataset), *options.encoder,
                    tighter(options.max_rows, options.micro_tokens));
}

// A feature store holds each picture once. The recipe refuses this already where it knows the
// model's layers.
void check_unchanged(const Recipe& recipe, const StageRecipe& stage, const std::string& name) {
  const DataRecipe& data = recipe.data.at(name);
  if (!data.augment.any()) return;
  fail_usage("{}: {}", data.where, problem_with_augment(name, "[[stage]] \"" + stage.name + "\""));
}

}  // namespace

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
    result.datasets.push_back(open_input(entry.data, data, result.loader));
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

StageInput::StageInput(const Recipe& recipe, int64_t stage_index, const Bundle& bundle,
                       const Json& state, const std::string& skipped_log) {
  const StageRecipe& stage = recipe.stages[static_cast<size_t>(stage_index)];
  const ModelConfig& config = bundle.model->config();
  if (stage.objective == Objective::answers) {
    encoder_ = std::make_unique<SampleEncoder>(bundle.encoder());
  }
  data_ = open_stage_data(recipe, stage, form_of(bundle), encoder_.get());
  // Depth 0 would store nothing but embeddings: pixels then, as where the whole vision model
  // trains.
  depth_ = config.vision ? trainable_of(stage, config).lowest_vision_layer() : 0;
  if (depth_ == 0 || stage.objective == Objective::reconstruct) depth_ = kFromPixels;
  if (depth_ != kFromPixels && data_.shows_pictures) {
    for (const MixtureEntry& entry : stage.mixture) check_unchanged(recipe, stage, entry.data);
    store_ = filled_store(bundle, data_.loader.entries, {.cache = recipe.cache, .depth = depth_});
    data_.loader.store = store_.get();
  }
  data_.loader.skipped_log = skipped_log;
  loader_ = std::make_unique<Loader>(data_.loader, state.is_null() ? nullptr : &state);
}

double validation_loss(const Recipe& recipe, const StageRecipe& stage, const Bundle& bundle) {
  const c10::NoGradGuard no_grad;
  DataRecipe data = recipe.data.at(recipe.eval.validation);
  data.captions = CaptionsMode::all;
  if (data.limit == 0 || data.limit > recipe.eval.validation_limit) {
    data.limit = recipe.eval.validation_limit;
  }
  const SampleEncoder encoder = bundle.encoder();
  LoaderOptions options = loader_options(recipe, stage, form_of(bundle), &encoder);
  const auto dataset = open_input(recipe.eval.validation, data, options);
  options.entries.push_back(loader_entry(*dataset, data));  // never augmented
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
