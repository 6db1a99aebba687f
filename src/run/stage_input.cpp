#include "run/stage_input.h"

#include "base/error.h"
#include "features/fill.h"
#include "plan/flops.h"
#include "recipe/trainable.h"
#include "run/agreement.h"
#include "train/stage_trainer.h"

#include <c10/core/GradMode.h>

namespace sightline {

namespace {

StageForm form_of(const Bundle& bundle) {
  return {bundle.model->config(), bundle.mask, bundle.processor};
}

// A feature store holds each picture once. The recipe refuses this already where it knows the
// model's layers.
void check_unchanged(const Recipe& recipe, const StageRecipe& stage, const std::string& name) {
  const DataRecipe& data = recipe.data.at(name);
  if (!data.augment.any()) return;
  fail_usage("{}: {}", data.where, problem_with_augment(name, "[[stage]] \"" + stage.name + "\""));
}

MicroBatchCost cost_of(const FlopCounter& counter) {
  return [counter](const MicroBatchWork& work) {
    return counter
        .of({.rows = work.rows,
             .images = work.images,
             .predictions = work.predictions,
             .scores = work.scores})
        .total();
  };
}

}  // namespace

StageInput::StageInput(const Recipe& recipe, int64_t stage_index, const Bundle& bundle,
                       const Json& state, const std::string& skipped_log, World& world) {
  const StageRecipe& stage = recipe.stages[static_cast<size_t>(stage_index)];
  if (stage.objective == Objective::answers) {
    encoder_ = std::make_unique<SampleEncoder>(bundle.encoder());
  }
  data_ = open_stage_data(recipe, stage, form_of(bundle), encoder_.get());
  depth_ = stored_depth(stage, bundle.model->config());
  check_same_data(world, data_.loader);
  if (depth_ != kFromPixels && data_.shows_pictures) {
    open_store(recipe, stage, bundle, world);
  }
  data_.loader.skipped_log = skipped_log;
  data_.loader.rank = world.rank();
  data_.loader.ranks = world.size();
  if (world.size() > 1)
    data_.loader.cost = cost_of(FlopCounter(bundle.model->config(), stage, depth_));
  loader_ = std::make_unique<Loader>(data_.loader, state.is_null() ? nullptr : &state);
}

void StageInput::open_store(const Recipe& recipe, const StageRecipe& stage, const Bundle& bundle,
                            World& world) {
  for (const MixtureEntry& entry : stage.mixture) check_unchanged(recipe, stage, entry.data);
  store_ = filled_store(bundle, data_.loader.entries,
                        {.cache = recipe.cache,
                         .depth = depth_,
                         .rank = world.rank(),
                         .ranks = world.size(),
                         .meet = [&] { world.barrier("storing features"); }});
  data_.loader.store = store_.get();
}

double validation_loss(const Recipe& recipe, const StageRecipe& stage, const Bundle& bundle,
                       World& world) {
  const c10::NoGradGuard no_grad;
  DataRecipe data = recipe.data.at(recipe.eval.validation);
  data.captions = CaptionsMode::all;
  if (data.limit == 0 || data.limit > recipe.eval.validation_limit) {
    data.limit = recipe.eval.validation_limit;
  }
  const SampleEncoder encoder = bundle.encoder();
  LoaderOptions options = loader_options(recipe, stage, form_of(bundle), &encoder);
  const auto dataset = open_stage_table(recipe.eval.validation, data, options);
  options.entries.push_back(loader_entry(*dataset, data));  // never augmented
  options.seed = 0;
  options.rank = world.rank();
  options.ranks = world.size();
  Loader loader(options);
  double sum = 0, predictions = 0;
  while (const auto step = loader.next()) {
    for (const Batch& batch : step->micro_batches) {
      if (batch.num_predictions() == 0) continue;
      sum += batch_loss(*bundle.model, batch, kFromPixels, 1.0).item<double>();
      predictions += static_cast<double>(batch.num_predictions());
    }
  }
  const std::vector<double> sums = world.sum({sum, predictions}, "evaluating");
  check(sums[1] > 0, "[data.{}]: has nothing to predict", recipe.eval.validation);
  return sums[0] / sums[1];
}

}  // namespace sightline
