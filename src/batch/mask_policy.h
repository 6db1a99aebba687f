#pragma once
// The mask policies: which rows of a conversation form blocks (rows that see each other fully).
//   causal    none
//   image     each image's rows; images that touch are one block each
//   prefix    from the start to just before the first supervised token; none if nothing is
//   supervised question  each image's rows with the user's text that follows it in that turn; no
//   image, no block

#include "batch/sample.h"
#include "recipe/recipe.h"

#include <cstdint>
#include <vector>

namespace sightline {

// block[i] of each row, numbered from 0, or kNoBlock. `rows_per_image` splits touching images.
std::vector<int32_t> blocks_of(const Rows& rows, MaskPolicy policy, int64_t rows_per_image);

}  // namespace sightline
