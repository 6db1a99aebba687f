#pragma once
// What numbers cannot make a model together, whether they stand in a config.json or in a recipe.

#include "recipe/model_config.h"

#include <string>

namespace sightline {

// The largest value taken for any size: what lies above is a slip of the hand or a broken file.
inline constexpr int64_t kLargestSize = 10'000'000;

// "" when the sizes fit together, else what is wrong, naming the keys.
std::string what_is_wrong(const VisionConfig& config);
std::string what_is_wrong(const LanguageConfig& config);
std::string what_is_wrong(const ConnectorConfig& connector, const VisionConfig& vision);

}  // namespace sightline
