#include "cli/model_options.h"

#include "base/error.h"
#include "base/log.h"
#include "recipe/decoding.h"
#include "recipe/names.h"
#include "recipe/parse.h"
#include "tensor/device.h"

#include <algorithm>
#include <cctype>

#include <CLI/CLI.hpp>

namespace sightline {

namespace fs = std::filesystem;

namespace {

std::vector<std::string> pictures_in(const fs::path& folder) {
  std::vector<std::string> pictures;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_regular_file() && names_a_picture(entry.path())) {
      pictures.push_back(entry.path().string());
    }
  }
  if (pictures.empty()) {
    fail_usage("{}: no pictures in this folder (.jpg, .jpeg, .png and .webp are looked for)",
               folder.string());
  }
  std::sort(pictures.begin(), pictures.end());
  return pictures;
}

bool may_hold_questions(const DataRecipe& data) {
  return data.prompt.find("{question}") != std::string::npos;
}

bool may_hold_captions(const DataRecipe& data) {
  switch (data.format) {
    case DataFormat::flickr:
    case DataFormat::coco:
    case DataFormat::karpathy:
      return true;
    case DataFormat::scenes:
      return data.task == "caption" || data.task == "both";
    case DataFormat::text:
      return false;
    default:
      return !data.prompt.empty() && !may_hold_questions(data);
  }
}

}  // namespace

bool names_a_picture(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension == ".jpg" || extension == ".jpeg" || extension == ".png" || extension == ".webp";
}

void add_model_options(CLI::App& command, ModelOptions& options) {
  command.add_option("MODEL", options.folder, "a Sightline model folder")->required();
  command.add_option("--numbers", options.numbers, "fp32, or bf16: half the memory")
      ->check(CLI::IsMember({"fp32", "bf16"}))
      ->capture_default_str();
  command
      .add_option("--device", options.device,
                  "cpu, cuda, cuda:N, or auto: a GPU where there is one")
      ->capture_default_str();
}

Bundle load_model(const ModelOptions& options, int64_t local_rank) {
  if (!fs::is_directory(options.folder)) {
    fail_usage("{}: no such folder; a Sightline model folder is meant, such as runs/NAME/model",
               options.folder);
  }
  const at::Device device = compute_device(options.device, local_rank);
  Bundle bundle = load_bundle(options.folder,
                              options.numbers == "bf16" ? at::kBFloat16 : at::kFloat, Loading::map);
  bundle.model->move_to(device);
  return bundle;
}

void add_decoding_flags(CLI::App& command, DecodingFlags& flags) {
  const auto add = [&](const char* name, auto& value, const char* what, double least, double most) {
    command.add_option(name, value, what)->check(CLI::Range(least, most))->group("Decoding");
  };
  add("--beams", flags.beams, "beams of the search; 1 is greedy", 1, 256);
  add("--beam-groups", flags.beam_groups, "diverse beams: groups of equal size", 1, 256);
  add("--diversity", flags.diversity, "what a token costs the groups after the one that took it", 0,
      100);
  add("--min-tokens", flags.min_tokens, "least tokens of an answer", 0, 1e6);
  add("--max-tokens", flags.max_tokens, "most tokens of an answer", 1, 1e6);
  add("--length-penalty", flags.length_penalty, "score = log-probability / length^penalty", -10,
      10);
  add("--temperature", flags.temperature, "above 0: words are drawn, and not the likeliest", 0,
      100);
  add("--top-k", flags.top_k, "draw among the K likeliest; 0: all", 0, 1e9);
  add("--top-p", flags.top_p, "draw among the likeliest that together have this probability", 1e-9,
      1);
  add("--min-p", flags.min_p, "draw among those with this share of the likeliest's", 0, 1);
  add("--repetition-penalty", flags.repetition_penalty,
      "above 1: words of the answer become less likely again", 1e-3, 100);
  add("--no-repeat-ngram", flags.no_repeat_ngram, "no N tokens twice in an answer", 0, 1e6);
  add("--answers", flags.answers, "so many of each, with their scores", 1, 256);
  command.add_option("--seed", flags.seed, "of what is drawn")->group("Decoding");
  command
      .add_option("--weights", flags.weights,
                  "what answers are computed by: whole, int8 or int4 in groups of 64, or "
                  "int8_products, by which prompts and pictures are quicker too")
      ->check(CLI::IsMember(enum_names<DecodingWeights>()))
      ->group("Decoding");
  command.add_option("--stop", flags.stop, "a string that ends an answer; may be repeated")
      ->take_all()
      ->expected(1)
      ->group("Decoding");
}

void add_log_probs_flag(CLI::App& command, DecodingFlags& flags) {
  command
      .add_flag_callback(
          "--log-probs", [&flags] { flags.log_probs = LogProbs::shown; },
          "a line a token, with its log-probability")
      ->group("Decoding");
}

void apply(const DecodingFlags& flags, DecodingRecipe& decoding) {
  const auto set = [](const auto& flag, auto& value) { value = flag.value_or(value); };
  set(flags.beams, decoding.beams);
  set(flags.beam_groups, decoding.beam_groups);
  set(flags.diversity, decoding.diversity);
  set(flags.min_tokens, decoding.min_new_tokens);
  set(flags.max_tokens, decoding.max_new_tokens);
  set(flags.length_penalty, decoding.length_penalty);
  set(flags.temperature, decoding.temperature);
  set(flags.top_k, decoding.top_k);
  set(flags.top_p, decoding.top_p);
  set(flags.min_p, decoding.min_p);
  set(flags.repetition_penalty, decoding.repetition_penalty);
  set(flags.no_repeat_ngram, decoding.no_repeat_ngram);
  set(flags.answers, decoding.answers);
  set(flags.seed, decoding.seed);
  if (flags.weights) decoding.weights = *enum_named<DecodingWeights>(*flags.weights);
  if (!flags.stop.empty()) decoding.stop = flags.stop;
  check_decoding(decoding);
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
  return recipe ? manner_of(*recipe, kind) : Manner();
}

Manner manner_of(const Recipe& recipe, TaskKind kind) {
  for (const auto& [name, task] : recipe.tasks) {
    const auto data = recipe.data.find(task.data);
    if (task.kind != kind || data == recipe.data.end()) continue;
    return {data->second.prompt, task.decoding};
  }
  for (const auto& [name, data] : recipe.data) {
    const bool may_hold =
        kind == TaskKind::caption ? may_hold_captions(data) : may_hold_questions(data);
    if (may_hold) return {data.prompt, {}};
  }
  return {};
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
