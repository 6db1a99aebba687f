#pragma once
// The model card of a run: README.md of the model folders that it writes.

#include "recipe/recipe.h"
#include "run/history.h"

#include <cstdint>
#include <span>
#include <string>

namespace sightline {

std::string model_card(const Recipe& recipe, MaskPolicy mask, int64_t steps,
                       std::span<const Origin> history);

}  // namespace sightline
