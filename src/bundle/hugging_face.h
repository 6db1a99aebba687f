#pragma once
// Parts of a model from and to Hugging Face folders (config.json, and model.safetensors or shards
// with an index).
//
// Parameter names: a part's prefix and Hugging Face's own name. Vision: "vit.X" (ViTForImage-
// Classification), "vision_model.X" (SiglipVisionModel, SiglipModel), the same within a larger
// model's "vision_tower", or "X" alone is "vision.X". Language: "model.X" and "lm_head.weight" are
// "language.model.X" and "language.lm_head.weight"; tied weights may be stored under either name.

#include "model/model.h"
#include "recipe/recipe.h"
#include "tensor/param_map.h"
#include "tensor/safetensors.h"

#include <cstdint>
#include <filesystem>

#include <ATen/core/Tensor.h>

namespace sightline {

VisionConfig read_vision_config(const std::filesystem::path& folder);
LanguageConfig read_language_config(const std::filesystem::path& folder);

// Of the part that a recipe names: its folder's config, or the one written in the recipe.
VisionConfig config_of(const PartSource<VisionConfig>& source);
LanguageConfig config_of(const PartSource<LanguageConfig>& source);

// Appends the part's parameters in `dtype`. A missing tensor or another shape is an Error naming
// file, tensor and both shapes; tensors that the part does not use are left.
void load_vision(const std::filesystem::path& folder, const VisionConfig& config,
                 at::ScalarType dtype, Loading loading, ParamMap& params);
void load_language(const std::filesystem::path& folder, const LanguageConfig& config,
                   at::ScalarType dtype, Loading loading, ParamMap& params);

// Writes config.json and model.safetensors of one part into an existing folder.
void save_vision(const std::filesystem::path& folder, const VisionConfig& config,
                 const ParamMap& params);
void save_language(const std::filesystem::path& folder, const LanguageConfig& config,
                   const ParamMap& params);

}  // namespace sightline
