#include "run/stage_check.h"

#include "base/error.h"
#include "train/stage_data.h"
#include "train/stage_trainer.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>

#include <fmt/ranges.h>

namespace sightline {

namespace {

bool selects_any(const Trainable& trains, const ParamMap& params) {
  return std::ranges::any_of(params, [&](const auto& entry) { return trains(entry.first); });
}

void check_selectors(const StageRecipe& stage, const Bundle& bundle) {
  const ModelConfig& config = bundle.model->config();
  for (const std::string& selector : stage.train) {
    StageRecipe alone = stage;
    alone.train = {selector};
    if (selects_any(trainable_of(alone, config), bundle.model->params())) continue;
    fail("{}: [[stage]] \"{}\" trains \"{}\", and the model has no such parameter: leave it out",
         stage.where, stage.name, selector);
  }
}

// Without a picture the loss comes through the language model alone.
void check_reach(const StageRecipe& stage, const Bundle& bundle) {
  const Trainable trains = trainable_of(stage, bundle.model->config());
  const bool language = std::ranges::any_of(bundle.model->params(), [&](const auto& entry) {
    return entry.first.starts_with("language.") && trains(entry.first);
  });
  if (language) return;
  fail(
      "{}: [[stage]] \"{}\" trains {}, and its data show no picture: the loss does not depend on "
      "what it trains. Add data with pictures, or train \"language\"",
      stage.where, stage.name, fmt::join(stage.train, ", "));
}

// The first sample with a token to learn is enough: further bad ones are the loader's.
void check_answers(const StageRecipe& stage, const std::string& name, const Dataset& dataset,
                   const SampleEncoder& encoder) {
  std::string problem;
  for (size_t i = 0; i < dataset.size(); ++i) {
    try {
      encoder.encode(dataset.example(i));
      return;
    } catch (const Error& error) {
      if (problem.empty()) problem = error.what();
    }
  }
  fail(
      "{}: [[stage]] \"{}\" cannot learn from [data.{}]: none of its {} samples has a token to "
      "learn. The first: {}",
      stage.where, stage.name, name, dataset.size(), problem);
}

// Whether a data table that was checked shows pictures, as far as that has been asked.
using Checked = std::map<std::string, bool>;

void check_stage(const Recipe& recipe, const StageRecipe& stage, const Bundle& bundle,
                 Checked& checked) {
  check_selectors(stage, bundle);
  if (stage.objective == Objective::reconstruct) return;
  const SampleEncoder encoder = bundle.encoder();
  bool pictures = false;
  for (const MixtureEntry& entry : stage.mixture) {
    if (const auto known = checked.find(entry.data); known != checked.end()) {
      pictures = pictures || known->second;
      continue;
    }
    const DataRecipe& data = recipe.data.at(entry.data);
    const auto dataset = open_dataset(entry.data, data);
    check_answers(stage, entry.data, *dataset, encoder);
    if (!pictures) pictures = checked[entry.data] = shows_pictures(*dataset, data);
  }
  if (!pictures) check_reach(stage, bundle);
}

}  // namespace

void check_stages(const Recipe& recipe, const Bundle& bundle, int64_t first) {
  Checked checked;  // a table that several stages learn from is opened once
  for (size_t i = static_cast<size_t>(first); i < recipe.stages.size(); ++i) {
    check_stage(recipe, recipe.stages[i], bundle, checked);
  }
}

}  // namespace sightline
