#include "plan/plan.h"

#include "base/error.h"
#include "base/rng.h"
#include "bundle/input_form.h"
#include "data/row_bounds.h"
#include "plan/feature_plan.h"
#include "recipe/trainable.h"
#include "train/stage_data.h"
#include "train/stage_trainer.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <optional>

namespace sightline {

namespace {

// Assumed samples are all alike, so that some tell of all.
constexpr int64_t kAssumedSamples = 4096;

bool is_assumed(const StageRecipe& stage, const PlanOptions& options) {
  const auto count = std::ranges::count_if(stage.mixture, [&](const MixtureEntry& entry) {
    return options.assumed.contains(entry.data);
  });
  if (count != 0 && count != std::ssize(stage.mixture)) {
    fail_usage(
        "{}: [[stage]] \"{}\" mixes assumed data with data at hand: assume all of it, or none",
        stage.where, stage.name);
  }
  return count != 0;
}

void check_assumed(const Recipe& recipe, const PlanOptions& options) {
  for (const auto& [name, data] : options.assumed) {
    if (recipe.data.contains(name)) continue;
    fail_usage("{}: has no table [data.{}], whose sizes are to be assumed", recipe.file, name);
  }
}

StageData assumed_stage_data(const Recipe& recipe, const StageRecipe& stage, const StageForm& form,
                             const SampleEncoder* encoder, const PlanOptions& options) {
  StageData opened{.loader = loader_options(recipe, stage, form, encoder)};
  opened.loader.epochs = stage.epochs;
  opened.loader.seed = derive_seed(recipe.seed, stage.name);
  for (const MixtureEntry& entry : stage.mixture) {
    AssumedData data = options.assumed.at(entry.data);
    data.samples = tighter(data.samples, tighter(recipe.data.at(entry.data).limit, entry.limit));
    opened.datasets.push_back(assumed_dataset(entry.data, data));
    LoaderEntry& read = opened.loader.entries.emplace_back();
    read.dataset = opened.datasets.back().get();
    read.weight = entry.weight;
    read.repeats = entry.repeats;
    opened.shows_pictures = opened.shows_pictures || data.images > 0;
  }
  return opened;
}

std::vector<PartParameters> parameters_of(const ModelConfig& config, const StageRecipe& stage) {
  const Trainable trains = trainable_of(stage, config);
  std::vector<PartParameters> parts;
  for (const auto& [name, shape] : parameter_shapes(config)) {
    const std::string part = name.substr(0, name.find('.'));
    if (parts.empty() || parts.back().part != part) parts.push_back({.part = part});
    const int64_t count =
        std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
    (trains(name) ? parts.back().trained : parts.back().frozen) += count;
  }
  return parts;
}

class Planner {
 public:
  Planner(const Recipe& recipe, const PlanOptions& options) : recipe_(recipe), options_(options) {
    check_assumed(recipe, options);
    const bool all_assumed = std::ranges::all_of(
        recipe.stages, [&](const StageRecipe& stage) { return is_assumed(stage, options); });
    // The tokenizer of data at hand may make the vocabulary larger.
    if (!all_assumed) form_ = input_form_of(recipe.model);
    config_ = all_assumed ? model_config_of(recipe.model) : form_.config;
    if (config_.language && config_.language->vocab_size == 0) {
      fail_usage(
          "{}: only the tokenizer tells the vocabulary's size, and none is read where all data are "
          "assumed: give vocab_size in [model.language]",
          recipe.file);
    }
  }

  RecipePlan plan() {
    RecipePlan planned{.config = config_};
    for (const StageRecipe& stage : recipe_.stages) planned.stages.push_back(plan_stage(stage));
    return planned;
  }

 private:
  StagePlan plan_stage(const StageRecipe& stage);

  const Recipe& recipe_;
  const PlanOptions& options_;
  InputForm form_;
  ModelConfig config_;
  StoredFeatures stored_;
};

StagePlan Planner::plan_stage(const StageRecipe& stage) {
  StagePlan planned{.name = stage.name,
                    .mask = stage.mask.value_or(recipe_.model.mask),
                    .assumed = is_assumed(stage, options_),
                    .parts = parameters_of(config_, stage)};
  std::optional<PromptTemplate> prompt_template = form_.prompt_template;
  if (planned.assumed) prompt_template = assumed_template();
  std::optional<SampleEncoder> encoder;
  if (stage.objective == Objective::answers && prompt_template) {
    encoder.emplace(*prompt_template, config_.rows_per_image());
  }
  const SampleEncoder* words = encoder ? &*encoder : nullptr;
  const StageForm form{.config = config_, .mask = planned.mask};
  const StageData data = planned.assumed ? assumed_stage_data(recipe_, stage, form, words, options_)
                                         : open_stage_data(recipe_, stage, form, words);
  const int64_t depth = stored_depth(stage, config_);
  const FlopCounter flops(config_, stage, depth);
  const ActivationCounter activations(config_, stage, recipe_.numbers, depth);
  int64_t samples = options_.samples;
  if (planned.assumed && samples == 0) samples = kAssumedSamples;
  planned.work = stage_work(data.loader, stage, {flops, activations}, samples);
  planned.memory = memory_of(
      {.config = config_,
       .recipe = recipe_,
       .stage = stage,
       .depth = depth,
       .largest = planned.work.largest,
       .images_a_step = planned.work.images / planned.work.steps,
       .sums_gradients = planned.work.micro_batches > planned.work.steps || options_.ranks > 1,
       .ranks = options_.ranks,
       .sharding = options_.sharding});
  if (depth != kFromPixels && data.shows_pictures) {
    planned.features = stored_.add(stage, data, config_, recipe_, planned);
  }
  if (config_.vision) stored_.trained(trainable_of(stage, config_).lowest_vision_layer());
  return planned;
}

}  // namespace

int64_t StagePlan::trained() const {
  int64_t sum = 0;
  for (const PartParameters& part : parts) sum += part.trained;
  return sum;
}

RecipePlan plan_recipe(const Recipe& recipe, const PlanOptions& options) {
  return Planner(recipe, options).plan();
}

}  // namespace sightline
