// [[stage]]: what trains, on what, how.

#include "base/error.h"
#include "recipe/sections.h"
#include "recipe/trainable.h"

#include <algorithm>

namespace sightline {

namespace {

// Enough layers that a range is only refused where it could select none in any model.
constexpr int64_t kUnknownLayers = INT64_MAX / 4;

template <class Config>
int64_t layers_of(const std::optional<PartSource<Config>>& part) {
  return part && part->config ? part->config->num_hidden_layers : kUnknownLayers;
}

// "" when the model has the part that `selector` names and the objective trains it.
std::string problem_with_part(const Selector& selector, const Recipe& recipe,
                              const StageRecipe& stage) {
  const bool vision = may_have_vision(recipe.model);
  const bool language = may_have_language(recipe.model);
  if (stage.objective == Objective::reconstruct && selector.part != "vision") {
    return "objective = \"reconstruct\" trains the vision part alone: name vision or its sections";
  }
  if (selector.part == "vision" && !vision) {
    return "the model has no vision part: leave it out, or add vision = \"FOLDER\" to [model]";
  }
  if (selector.part == "language" && !language) {
    return "the model has no language part: leave it out, or add language = \"FOLDER\" to [model]";
  }
  if (selector.part == "connector" && !(vision && language)) {
    return "a connector joins a vision and a language part, and the model has only one: leave it "
           "out";
  }
  const auto& eyes = recipe.model.vision;
  if (selector.part == "vision" && selector.section == "norm" && eyes && eyes->config &&
      !eyes->config->last_norm) {
    return "the vision part has no last norm (last_norm = false): leave it out";
  }
  const auto& source = recipe.model.language;
  if (selector.section == "head" && source && source->config &&
      source->config->tie_word_embeddings) {
    return "the head is the embeddings (tie_word_embeddings): name language.embeddings";
  }
  return "";
}

std::string problem_with_selector(const std::string& text, const Recipe& recipe,
                                  const StageRecipe& stage) {
  try {
    const std::string problem = problem_with_part(parse_selector(text), recipe, stage);
    if (!problem.empty()) return fmt::format("\"{}\": {}", text, problem);
    Trainable({&text, 1}, layers_of(recipe.model.vision), layers_of(recipe.model.language));
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

void read_train(TableReader& reader, const Recipe& recipe, StageRecipe& stage) {
  const toml::node* node = reader.find("train");
  if (!reader.require("train", "train = [\"connector\"], the parts that it trains")) return;
  reader.read("train", stage.train);
  if (!node->is_array()) return;
  if (stage.train.empty()) {
    reader.wrong("train", fmt::format("\"train\" in {} is empty, and a stage trains something: add "
                                      "\"connector\", \"vision\" or \"language\"",
                                      reader.title()));
  }
  for (size_t i = 0; i < stage.train.size(); ++i) {
    if (!node->as_array()->get(i)->is_string()) continue;
    const std::string problem = problem_with_selector(stage.train[i], recipe, stage);
    if (problem.empty()) continue;
    reader.wrong_element("train", i, fmt::format("\"train\" in {}: {}", reader.title(), problem));
  }
}

void read_entry(TableReader& reader, const Recipe& recipe, const StageRecipe& stage,
                MixtureEntry& entry) {
  reader.require("data", "data = \"DATA\", the name of a [data.*] table");
  reader.read("data", entry.data);
  reader.read("weight", entry.weight, above(0));
  reader.read("limit", entry.limit, at_least(0));
  reader.read("repeats", entry.repeats, above(0));
  reader.finish();
  if (stage.mixture.empty() && reader.has("repeats")) {
    reader.wrong("repeats", fmt::format("\"repeats\" in the first entry of {}: \"epochs\" says how "
                                        "often that is gone through; leave it out",
                                        reader.title()));
  }
  const toml::node* node = reader.find("data");
  if (node == nullptr || !node->is_string()) return;
  check_data_name(reader, "data", entry.data, recipe);
  const auto data = recipe.data.find(entry.data);
  const bool text = data != recipe.data.end() && never_has_pictures(data->second);
  if (text && stage.objective == Objective::reconstruct) {
    reader.wrong("data", fmt::format("[data.{}] holds plain text, and objective = \"reconstruct\" "
                                     "needs pictures: leave it out of the mixture",
                                     entry.data));
  }
  const bool again = std::ranges::any_of(
      stage.mixture, [&](const MixtureEntry& earlier) { return earlier.data == entry.data; });
  if (again) {
    reader.wrong("data", fmt::format("{} names \"{}\" twice: give it one entry and a larger weight",
                                     reader.title(), entry.data));
  }
}

void read_mixture(TableReader& reader, const Recipe& recipe, StageRecipe& stage) {
  if (!reader.require("mixture", "mixture = [{ data = \"DATA\", weight = 1.0 }]")) return;
  const toml::array* array = reader.array_of_tables("mixture");
  if (array == nullptr) return;
  if (array->empty()) {
    reader.wrong("mixture", fmt::format("\"mixture\" in {} is empty: add {{ data = \"DATA\" }}",
                                        reader.title()));
  }
  for (const toml::node& element : *array) {
    TableReader inner(*element.as_table(), "the mixture of " + reader.title(), reader.problems());
    MixtureEntry entry;
    read_entry(inner, recipe, stage, entry);
    stage.mixture.push_back(std::move(entry));
  }
}

// Where the layers are known from a range alone; else the run finds it before its first step.
void check_augment(TableReader& reader, const Recipe& recipe, const StageRecipe& stage) {
  if (stage.objective == Objective::reconstruct || !may_have_vision(recipe.model)) return;
  if (!stage.store_features) return;
  int64_t lowest = 0;
  try {
    lowest =
        Trainable(stage.train, layers_of(recipe.model.vision), layers_of(recipe.model.language))
            .lowest_vision_layer();
  } catch (const Error&) {
    return;  // a selector is wrong, and reported
  }
  if (lowest == 0) return;
  for (const MixtureEntry& entry : stage.mixture) {
    const auto data = recipe.data.find(entry.data);
    if (data == recipe.data.end() || !data->second.augment.any()) continue;
    reader.wrong("mixture", problem_with_augment(entry.data, reader.title()));
  }
}

void check_objective(TableReader& reader, const Recipe& recipe, const StageRecipe& stage) {
  const bool reconstruct = stage.objective == Objective::reconstruct;
  if (!reconstruct && !may_have_language(recipe.model)) {
    reader.wrong("objective", fmt::format("{} has objective = \"answers\", and the model has no "
                                          "language part: add language = \"FOLDER\" to [model], or "
                                          "choose objective = \"reconstruct\"",
                                          reader.title()));
  }
  if (reconstruct && recipe.model.language) {
    reader.wrong("objective",
                 fmt::format("{} has objective = \"reconstruct\", which trains a vision "
                             "model alone: leave language out of [model], and take the "
                             "trained folder as another recipe's vision",
                             reader.title()));
  }
}

}  // namespace

void read_stage(TableReader& reader, const Recipe& recipe, StageRecipe& stage) {
  stage.where = reader.where();
  reader.require("name", "name = \"align\", say");
  reader.read_name("name", stage.name);
  reader.read("objective", stage.objective);
  read_train(reader, recipe, stage);
  read_mixture(reader, recipe, stage);
  read_training(reader, stage);
  reader.read(
      "mask_ratio", stage.mask_ratio,
      {.least = 0, .most = 1, .low = NumberRange::End::open, .high = NumberRange::End::open});
  reader.read("edge_weight", stage.edge_weight, {.least = 0});
  reader.read("store_features", stage.store_features);
  reader.read("checkpoint_activations", stage.checkpoint_activations);
  reader.read("mask", stage.mask);
  check_objective(reader, recipe, stage);
  check_augment(reader, recipe, stage);
  reader.finish();
}

}  // namespace sightline
