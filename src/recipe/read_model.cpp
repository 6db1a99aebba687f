// [model]: where its parts come from.

#include "base/error.h"
#include "base/json.h"
#include "recipe/config_check.h"
#include "recipe/parse.h"
#include "recipe/sections.h"

#include <algorithm>
#include <filesystem>

namespace sightline {

namespace fs = std::filesystem;

namespace {

const NumberRange kSize = between(1, static_cast<double>(kLargestSize));

VisionConfig read_vision_config(TableReader& reader) {
  VisionConfig config;
  reader.read("kind", config.kind);
  if (config.kind == VisionKind::siglip) config.layer_norm_eps = 1e-6;  // SiglipVisionConfig's
  reader.read("hidden_size", config.hidden_size, kSize);
  reader.read("num_hidden_layers", config.num_hidden_layers, kSize);
  reader.read("num_attention_heads", config.num_attention_heads, kSize);
  reader.read("intermediate_size", config.intermediate_size, kSize);
  reader.read("image_size", config.image_size, kSize);
  reader.read("patch_size", config.patch_size, kSize);
  reader.read("layer_norm_eps", config.layer_norm_eps, above(0));
  reader.read("initializer_range", config.initializer_range, above(0));
  reader.read("last_norm", config.last_norm);
  return config;
}

LanguageConfig read_language_config(TableReader& reader) {
  LanguageConfig config;
  reader.read("kind", config.kind);
  reader.read("vocab_size", config.vocab_size, between(0, static_cast<double>(kLargestSize)));
  reader.read("hidden_size", config.hidden_size, kSize);
  reader.read("num_hidden_layers", config.num_hidden_layers, kSize);
  reader.read("num_attention_heads", config.num_attention_heads, kSize);
  config.num_key_value_heads = config.num_attention_heads;
  reader.read("num_key_value_heads", config.num_key_value_heads, kSize);
  config.head_dim = std::max<int64_t>(1, config.hidden_size / config.num_attention_heads);
  reader.read("head_dim", config.head_dim, kSize);
  reader.read("intermediate_size", config.intermediate_size, kSize);
  reader.read("max_position_embeddings", config.max_position_embeddings, kSize);
  reader.read("rms_norm_eps", config.rms_norm_eps, above(0));
  reader.read("rope_theta", config.rope_theta, above(0));
  reader.read("initializer_range", config.initializer_range, above(0));
  reader.read("tie_word_embeddings", config.tie_word_embeddings);
  if (!reader.has("head_dim") && config.hidden_size % config.num_attention_heads != 0) {
    reader.wrong("hidden_size",
                 fmt::format("hidden_size {} in {} is not a multiple of num_attention_heads {}: "
                             "change one of them, or give head_dim",
                             config.hidden_size, reader.title(), config.num_attention_heads));
  }
  return config;
}

void read_folder(TableReader& reader, std::string_view key, std::string& folder) {
  reader.read(key, folder);
  if (folder.empty() || !reader.checks_paths()) return;
  std::string problem = problem_with_folder(folder);
  if (problem.empty() && !fs::exists(fs::path(folder) / "config.json")) {
    problem = "holds no config.json: a Hugging Face model folder is expected";
  }
  if (problem.empty()) return;
  reader.wrong(key, fmt::format("\"{}\" in {} names \"{}\", which {}", key, reader.title(), folder,
                                problem));
}

// A part is a folder's name or a table of config keys. It counts as given even where it is wrong,
// so that one mistake is not reported again by every stage that trains the part.
template <class Config, class ReadConfig>
void read_part(TableReader& reader, std::string_view key, std::optional<PartSource<Config>>& part,
               const ReadConfig& read_config) {
  const toml::node* node = reader.find(key);
  if (node == nullptr) return;
  part.emplace();
  if (node->is_string()) {
    read_folder(reader, key, part->folder);
    if (part->folder.empty()) {
      reader.wrong(key, fmt::format("\"{}\" in {} is empty: name a folder, or leave the key out",
                                    key, reader.title()));
    }
    return;
  }
  if (!node->is_table()) {
    reader.wrong(key, fmt::format("\"{}\" in {} is {}, and a folder's name (a string) or a table "
                                  "of config.json's keys is expected",
                                  key, reader.title(), described(*node)));
    return;
  }
  TableReader inner(*node->as_table(), fmt::format("[model.{}]", key), reader.problems());
  part->config = read_config(inner);
  inner.finish();
  const std::string problem = what_is_wrong(*part->config);
  if (!problem.empty()) {
    reader.wrong(key, fmt::format("{} in {}: change one of them", problem, inner.title()));
  }
}

void read_connector(TableReader& reader, ConnectorConfig& connector) {
  const toml::node* node = reader.find("connector");
  connector.factor = 1;
  if (node == nullptr) return;
  if (node->is_table()) {
    TableReader inner(*node->as_table(), "[model.connector]", reader.problems());
    inner.read("kind", connector.kind);
    inner.require("kind", "kind = " + quoted_list(enum_names<ConnectorKind>()));
    connector.factor = connector.has_factor() ? 2 : 1;
    inner.read("factor", connector.factor, between(1, 64));
    if (!connector.has_factor() && connector.factor != 1) {
      inner.wrong("factor",
                  "\"factor\" in [model.connector] belongs to kind = \"shuffle\" or \"pool\": "
                  "leave it out, or choose one of these");
    }
    inner.finish();
    return;
  }
  reader.read("connector", connector.kind);
  if (connector.has_factor()) connector.factor = 2;
}

// Without a tokenizer of its own the model takes the language folder's.
void check_own_tokenizer(TableReader& reader, const ModelRecipe& model) {
  if (!model.language) return;
  const std::string& folder = model.language->folder;
  const bool random = model.language->config.has_value();
  if (!random && !reader.checks_paths()) return;
  if (!random && (!fs::exists(folder) || fs::exists(fs::path(folder) / "tokenizer.json"))) return;
  const std::string why = random ? "a language model with random weights needs a tokenizer"
                                 : fmt::format("\"{}\" holds no tokenizer.json", folder);
  reader.wrong("language", fmt::format("{}: add tokenizer = \"FILE\" to {} (`sightline tokenizer "
                                       "train` makes one)",
                                       why, reader.title()));
}

void read_tokenizer(TableReader& reader, ModelRecipe& model) {
  reader.read("tokenizer", model.tokenizer);
  if (model.tokenizer.empty()) return check_own_tokenizer(reader, model);
  if (!reader.checks_paths()) return;
  fs::path file = model.tokenizer;
  if (fs::is_directory(file)) file /= "tokenizer.json";
  const std::string problem = problem_with_file(file.string());
  if (problem.empty()) return;
  reader.wrong("tokenizer", fmt::format("\"tokenizer\" in {} names \"{}\", which {}",
                                        reader.title(), file.string(), problem));
}

// The folder's own mask holds unless the recipe names another, so that going on from a model never
// changes it unasked. Its manifest is written by bundle/bundle.h.
void read_mask_of(TableReader& reader, const fs::path& folder, MaskPolicy& mask) {
  const fs::path manifest = folder / "sightline.json";
  try {
    mask = mask_policy_named(json_get<std::string>(read_json(manifest), "mask", manifest.string()));
  } catch (const Error& error) {
    reader.wrong("from", fmt::format("\"from\" in {} names \"{}\", which is no Sightline model "
                                     "folder: {}",
                                     reader.title(), folder.string(), error.what()));
  }
}

void check_from(TableReader& reader, ModelRecipe& model) {
  const std::string problem = problem_with_folder(model.from);
  if (problem.empty()) return read_mask_of(reader, model.from, model.mask);
  reader.wrong("from", fmt::format("\"from\" in {} names \"{}\", which {}", reader.title(),
                                   model.from, problem));
}

void read_from(TableReader& reader, ModelRecipe& model) {
  if (reader.checks_paths()) check_from(reader, model);
  reader.read("mask", model.mask);
  for (const char* key : {"vision", "language", "connector", "tokenizer", "template", "resize"}) {
    if (!reader.has(key)) continue;
    reader.wrong(key,
                 fmt::format("\"{}\" in {} stands beside \"from\", and the whole model is that "
                             "folder's: leave one of the two out",
                             key, reader.title()));
  }
  reader.finish();
}

}  // namespace

bool may_have_vision(const ModelRecipe& model) { return !model.from.empty() || model.vision; }
bool may_have_language(const ModelRecipe& model) { return !model.from.empty() || model.language; }

void read_model(TableReader& reader, ModelRecipe& model) {
  reader.read("from", model.from);
  if (!model.from.empty()) return read_from(reader, model);
  read_part(reader, "vision", model.vision, read_vision_config);
  read_part(reader, "language", model.language, read_language_config);
  if (!model.vision && !model.language) {
    reader.wrong("from", fmt::format("{} names no model: add vision = \"FOLDER\" and language = "
                                     "\"FOLDER\", or from = \"FOLDER\" to go on from a trained one",
                                     reader.title()));
  }
  read_connector(reader, model.connector);
  if (model.vision && model.vision->config) {
    const std::string problem = what_is_wrong(model.connector, *model.vision->config);
    if (!problem.empty()) reader.wrong("connector", problem + ": change one of them");
  }
  read_tokenizer(reader, model);
  if (auto name = reader.choice("template", {"plain", "chatml"})) model.prompt_template = *name;
  reader.read("mask", model.mask);
  if (auto name = reader.choice("resize", {"", "squash", "crop", "pad"})) model.resize = *name;
  reader.finish();
}

}  // namespace sightline
