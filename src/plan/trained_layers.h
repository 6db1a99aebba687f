#pragma once
// Which pieces of a model a stage trains, asked by their place rather than by parameters' names.

#include "model/model.h"
#include "recipe/recipe.h"

#include <cstdint>
#include <set>

namespace sightline {

struct TrainedLayers {
  std::set<int64_t> vision, language;  // layers, by number
  bool vision_embeddings = false, vision_norm = false;
  bool connector = false;
  bool words = false;  // the language model's embedding table
  bool head = false;   // its output projection; with tied embeddings, the table
};

TrainedLayers trained_layers(const ModelConfig& config, const StageRecipe& stage);

}  // namespace sightline
