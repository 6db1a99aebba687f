#pragma once
// Hugging Face's names of a vision model's parameters, for what both kinds have: behind "vision.",
// a layer's behind its prefix too. Matrices and norms end in ".weight" and ".bias".

#include "recipe/model_config.h"

#include <string>

#include <fmt/format.h>

namespace sightline {

struct VisionNames {
  const char *patches, *positions, *layers, *norm_before, *query, *key, *value, *out, *norm_after,
      *up, *down, *last_norm;

  std::string layer(int64_t number) const { return fmt::format("{}{}.", layers, number); }
};

inline constexpr VisionNames kVitNames = {.patches = "embeddings.patch_embeddings.projection",
                                          .positions = "embeddings.position_embeddings",
                                          .layers = "encoder.layer.",
                                          .norm_before = "layernorm_before",
                                          .query = "attention.attention.query",
                                          .key = "attention.attention.key",
                                          .value = "attention.attention.value",
                                          .out = "attention.output.dense",
                                          .norm_after = "layernorm_after",
                                          .up = "intermediate.dense",
                                          .down = "output.dense",
                                          .last_norm = "layernorm"};

inline constexpr VisionNames kSiglipNames = {.patches = "embeddings.patch_embedding",
                                             .positions = "embeddings.position_embedding.weight",
                                             .layers = "encoder.layers.",
                                             .norm_before = "layer_norm1",
                                             .query = "self_attn.q_proj",
                                             .key = "self_attn.k_proj",
                                             .value = "self_attn.v_proj",
                                             .out = "self_attn.out_proj",
                                             .norm_after = "layer_norm2",
                                             .up = "mlp.fc1",
                                             .down = "mlp.fc2",
                                             .last_norm = "post_layernorm"};

constexpr const VisionNames& vision_names(const VisionConfig& config) {
  return config.kind == VisionKind::vit ? kVitNames : kSiglipNames;
}

}  // namespace sightline
