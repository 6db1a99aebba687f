#pragma once
// What a model is made of, as read from Hugging Face config.json files or written in a recipe.
// Sources: transformers' configuration_vit.py, configuration_siglip.py, configuration_llama.py and
// configuration_qwen2.py (names and defaults).

#include "base/json.h"
#include "recipe/choices.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace sightline {

enum class VisionKind {
  vit,     // a class token, exact GELU
  siglip,  // no class token, GELU by tanh
};

// Square patches, learned positions, pre-norm layers, a last LayerNorm (or none).
struct VisionConfig {
  VisionKind kind = VisionKind::vit;
  int64_t hidden_size = 192;
  int64_t num_hidden_layers = 12;
  int64_t num_attention_heads = 3;
  int64_t intermediate_size = 768;
  int64_t image_size = 224;  // pixels a side
  int64_t patch_size = 16;
  double layer_norm_eps = 1e-12;
  double initializer_range = 0.02;  // deviation of random matrices
  bool last_norm = true;            // false: features are those of the last layer, not normed

  int64_t class_tokens() const { return kind == VisionKind::vit ? 1 : 0; }
  int64_t patches_per_side() const { return image_size / patch_size; }
  int64_t num_patches() const { return patches_per_side() * patches_per_side(); }
  bool operator==(const VisionConfig&) const = default;
};

enum class LanguageKind {
  llama,  // no biases
  qwen2,  // biases of the queries, keys and values
};

// RMSNorm, rotary positions (neox halves), grouped-query attention, SwiGLU.
struct LanguageConfig {
  LanguageKind kind = LanguageKind::llama;
  int64_t vocab_size = 0;  // 0: the tokenizer's
  int64_t hidden_size = 256;
  int64_t num_hidden_layers = 6;
  int64_t num_attention_heads = 4;
  int64_t num_key_value_heads = 4;
  int64_t head_dim = 64;
  int64_t intermediate_size = 768;
  int64_t max_position_embeddings = 2048;
  double rms_norm_eps = 1e-6;
  double rope_theta = 10000.0;
  double initializer_range = 0.02;  // deviation of random matrices
  bool tie_word_embeddings = true;

  bool operator==(const LanguageConfig&) const = default;
};

// What each is: src/model/connector.h.
#define SIGHTLINE_ENUMERATOR(name, of) name,
enum class ConnectorKind { SIGHTLINE_CONNECTORS(SIGHTLINE_ENUMERATOR) };
#undef SIGHTLINE_ENUMERATOR

enum class RowOf { patch, square };

constexpr RowOf row_of(ConnectorKind kind) {
#define SIGHTLINE_CASE(name, of) \
  case ConnectorKind::name:      \
    return RowOf::of;
  switch (kind) { SIGHTLINE_CONNECTORS(SIGHTLINE_CASE) }
#undef SIGHTLINE_CASE
  return RowOf::patch;
}

struct ConnectorConfig {
  ConnectorKind kind = ConnectorKind::mlp;
  int64_t factor = 2;  // side of the square of patches that share a row; else 1
  bool has_factor() const { return row_of(kind) == RowOf::square; }
  bool operator==(const ConnectorConfig&) const = default;
};

// From and to the JSON of Hugging Face's config.json; `source` names it in errors. What the model
// cannot do (another activation, rope scaling, other biases) is an Error naming the key. A vision
// model may stand inside a larger file, under "vision_config". `last_norm` is a key of our own,
// "sightline_last_norm", which other programs pass over.
VisionConfig vision_config_from_json(const Json& json, const std::string& source);
Json to_json(const VisionConfig& config);
LanguageConfig language_config_from_json(const Json& json, const std::string& source);
Json to_json(const LanguageConfig& config);
ConnectorConfig connector_config_from_json(const Json& json, const std::string& source);
Json to_json(const ConnectorConfig& config);

}  // namespace sightline
