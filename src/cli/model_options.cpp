#include "cli/model_options.h"

#include "base/error.h"
#include "base/log.h"
#include "recipe/parse.h"

#include <algorithm>
#include <cctype>

#include <CLI/CLI.hpp>

namespace sightline {

namespace fs = std::filesystem;

namespace {

bool names_a_picture(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension == ".jpg" || extension == ".jpeg" || extension == ".png";
}

std::vector<std::string> pictures_in(const fs::path& folder) {
  std::vector<std::string> pictures;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_regular_file() && names_a_picture(entry.path())) {
      pictures.push_back(entry.path().string());
    }
  }
  if (pictures.empty()) {
    fail_usage("{}: no pictures in this folder (.jpg, .jpeg and .png are looked for)",
               folder.string());
  }
  std::sort(pictures.begin(), pictures.end());
  return pictures;
}

bool may_hold_captions(const DataRecipe& data) {
  switch (data.format) {
    case DataFormat::flickr:
    case DataFormat::coco:
    case DataFormat::karpathy:
      return true;
    case DataFormat::llava:
    case DataFormat::jsonl:
      return !data.prompt.empty();
    case DataFormat::scenes:
      return data.task == "caption" || data.task == "both";
    case DataFormat::text:
      return false;
  }
  return false;
}

}  // namespace

void add_model_options(CLI::App& command, ModelOptions& options) {
  command.add_option("MODEL", options.folder, "a Sightline model folder")->required();
  command.add_option("--numbers", options.numbers, "fp32, or bf16: half the memory")
      ->check(CLI::IsMember({"fp32", "bf16"}))
      ->capture_default_str();
}

Bundle load_model(const ModelOptions& options) {
  if (!fs::is_directory(options.folder)) {
    fail_usage("{}: no such folder; a Sightline model folder is meant, such as runs/NAME/model",
               options.folder);
  }
  return load_bundle(options.folder, options.numbers == "bf16" ? at::kBFloat16 : at::kFloat);
}

void add_decoding_flags(CLI::App& command, DecodingFlags& flags) {
  command.add_option("--beams", flags.beams, "beams of the search; 1 is greedy")
      ->check(CLI::Range(1, 256));
  command.add_option("--max-tokens", flags.max_tokens, "most tokens of an answer")
      ->check(CLI::Range(1, 1000000));
  command
      .add_option("--length-penalty", flags.length_penalty,
                  "beam score = log-probability / length^penalty")
      ->check(CLI::Range(-10.0, 10.0));
}

void apply(const DecodingFlags& flags, DecodingRecipe& decoding) {
  decoding.beams = flags.beams.value_or(decoding.beams);
  decoding.max_new_tokens = flags.max_tokens.value_or(decoding.max_new_tokens);
  decoding.length_penalty = flags.length_penalty.value_or(decoding.length_penalty);
}

std::optional<Recipe> recipe_of(const Bundle& bundle, const std::string& folder) {
  if (bundle.recipe.empty()) return std::nullopt;
  try {
    return parse_recipe(bundle.recipe, (fs::path(folder) / "recipe.toml").string(), {},
                        PathCheck::later);
  } catch (const UsageError& error) {
    // A model that can caption should, even where someone broke its recipe.
    log("the model's recipe cannot be read, so its prompt and decoding are not used (--prompt and "
        "--beams give them):\n{}",
        error.what());
    return std::nullopt;
  }
}

Manner manner_of(const Bundle& bundle, const std::string& folder, TaskKind kind) {
  const std::optional<Recipe> recipe = recipe_of(bundle, folder);
  if (!recipe) return {};
  for (const auto& [name, task] : recipe->tasks) {
    const auto data = recipe->data.find(task.data);
    if (task.kind != kind || data == recipe->data.end()) continue;
    return {data->second.prompt, task.decoding};
  }
  for (const auto& [name, data] : recipe->data) {
    if (may_hold_captions(data)) return {data.prompt, {}};
  }
  return {};
}

AnswerOptions answer_options(const DecodingRecipe& decoding) {
  return {.decoding = {decoding.beams, decoding.max_new_tokens, decoding.length_penalty},
          .batch = decoding.batch};
}

std::vector<std::string> pictures_at(const std::vector<std::string>& paths) {
  std::vector<std::string> pictures;
  for (const std::string& path : paths) {
    if (!fs::exists(path)) fail_usage("{}: no such file or folder", path);
    if (!fs::is_directory(path)) {
      pictures.push_back(path);
      continue;
    }
    const std::vector<std::string> inside = pictures_in(path);
    pictures.insert(pictures.end(), inside.begin(), inside.end());
  }
  return pictures;
}

}  // namespace sightline
