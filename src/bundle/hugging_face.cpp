#include "bundle/hugging_face.h"

#include "base/error.h"
#include "base/json.h"
#include "tensor/safetensors_folder.h"

#include <functional>

#include <fmt/ranges.h>

namespace sightline {

namespace fs = std::filesystem;

namespace {

using StoredName = std::function<std::string(const SafetensorsFolder&, const std::string& name)>;

std::string without_prefix(const std::string& name, std::string_view prefix) {
  SL_ASSERT(name.starts_with(prefix), "{} does not start with {}", name, prefix);
  return name.substr(prefix.size());
}

// What stands before a vision model's names in transformers' own files.
std::string prefix_of(VisionKind kind) {
  return kind == VisionKind::vit ? "vit." : "vision_model.";
}

void load_part(const fs::path& folder, const NamedShapes& shapes, const StoredName& stored_name,
               at::ScalarType dtype, Loading loading, ParamMap& params) {
  const SafetensorsFolder weights(folder);
  for (const auto& [name, shape] : shapes) {
    const std::string stored = stored_name(weights, name);
    at::Tensor tensor = weights.load(stored, dtype, loading);
    check(tensor.sizes() == at::IntArrayRef(shape),
          "{}: tensor \"{}\" has shape [{}], config.json makes it [{}]",
          weights.file_of(stored).string(), stored, fmt::join(tensor.sizes(), ", "),
          fmt::join(shape, ", "));
    params.add(name, tensor);
  }
}

void save_part(const fs::path& folder, const Json& config, const NamedShapes& shapes,
               const std::function<std::string(const std::string&)>& file_name,
               const ParamMap& params) {
  ParamMap stored;
  for (const auto& [name, shape] : shapes) stored.add(file_name(name), params.at(name).detach());
  write_json(folder / "config.json", config);
  write_safetensors(folder / "model.safetensors", stored, {{"format", "pt"}});
}

Json read_config(const fs::path& folder) {
  check(fs::exists(folder / "config.json"),
        "{}: no config.json there; a Hugging Face model folder is meant", folder.string());
  return read_json(folder / "config.json");
}

}  // namespace

VisionConfig read_vision_config(const fs::path& folder) {
  return vision_config_from_json(read_config(folder), (folder / "config.json").string());
}

LanguageConfig read_language_config(const fs::path& folder) {
  return language_config_from_json(read_config(folder), (folder / "config.json").string());
}

VisionConfig config_of(const PartSource<VisionConfig>& source) {
  return source.folder.empty() ? *source.config : read_vision_config(source.folder);
}

LanguageConfig config_of(const PartSource<LanguageConfig>& source) {
  return source.folder.empty() ? *source.config : read_language_config(source.folder);
}

void load_vision(const fs::path& folder, const VisionConfig& config, at::ScalarType dtype,
                 Loading loading, ParamMap& params) {
  const auto stored_name = [&](const SafetensorsFolder& weights, const std::string& name) {
    const std::string plain = without_prefix(name, "vision.");
    for (const char* prefix : {"", "vit.", "vision_model.", "vision_tower.vision_model.",
                               "model.vision_tower.vision_model.", "model.vision_tower."}) {
      if (weights.contains(prefix + plain)) return prefix + plain;
    }
    return prefix_of(config.kind) + plain;
  };
  load_part(folder, vision_parameters(config), stored_name, dtype, loading, params);
}

void load_language(const fs::path& folder, const LanguageConfig& config, at::ScalarType dtype,
                   Loading loading, ParamMap& params) {
  const auto stored_name = [&](const SafetensorsFolder& weights, const std::string& name) {
    const std::string plain = without_prefix(name, "language.");
    const bool stored_as_head = config.tie_word_embeddings && !weights.contains(plain) &&
                                plain == "model.embed_tokens.weight" &&
                                weights.contains("lm_head.weight");
    return stored_as_head ? std::string("lm_head.weight") : plain;
  };
  load_part(folder, language_parameters(config), stored_name, dtype, loading, params);
}

void save_vision(const fs::path& folder, const VisionConfig& config, const ParamMap& params) {
  save_part(
      folder, to_json(config), vision_parameters(config),
      [&](const std::string& name) {
        return prefix_of(config.kind) + without_prefix(name, "vision.");
      },
      params);
}

void save_language(const fs::path& folder, const LanguageConfig& config, const ParamMap& params) {
  save_part(
      folder, to_json(config), language_parameters(config),
      [](const std::string& name) { return without_prefix(name, "language."); }, params);
}

}  // namespace sightline
