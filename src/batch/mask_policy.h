#pragma once
// The mask policies: which rows of a conversation form blocks (rows that see each other fully).
// Each is a file mask_NAME.cpp and a line of recipe/choices.h; docs/masks.md draws them.

#include "batch/mask_rule.h"
#include "recipe/recipe.h"

#include <cstdint>
#include <vector>

namespace sightline {

MaskRule rule_of(MaskPolicy policy);

// block[i] of each row, numbered from 0, or kNoBlock. `rows_per_image` splits touching images.
std::vector<int32_t> blocks_of(const Rows& rows, MaskPolicy policy, int64_t rows_per_image);

}  // namespace sightline
