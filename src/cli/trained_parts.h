#pragma once
// What each stage of a recipe trains, by the model's parts.

#include "model/model.h"
#include "recipe/recipe.h"

#include <cstdint>
#include <string>
#include <vector>

namespace sightline {

struct TrainedPart {
  std::string part;     // vision, connector, language
  std::string section;  // embeddings, layers, norm, head; "" of the connector
  int64_t parameters = 0;
  std::vector<int64_t> trained;  // of them, a number a stage
};

// In the model's order. A selector of a stage that selects nothing is an Error.
std::vector<TrainedPart> trained_parts(const Recipe& recipe, const ModelConfig& config);

// The resolved recipe, a recipe itself, below a table of its stages' parts as comments.
std::string recipe_text(const Recipe& recipe, const ModelConfig& config);

}  // namespace sightline
