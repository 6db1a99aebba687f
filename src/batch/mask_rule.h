#pragma once
// What a mask policy is made of. Policy NAME is src/batch/mask_NAME.cpp, which defines `MaskRule
// mask_NAME()`, and its line in recipe/choices.h (docs/extending.md).

#include "batch/layout.h"
#include "batch/sample.h"

#include <cstdint>
#include <vector>

namespace sightline {

// May the conversations of one sample share their common prefix's rows? Only where the blocks of
// those rows never depend on what follows them.
enum class Trunk { shared, own };

struct MaskRule {
  Trunk trunk = Trunk::shared;
  // block[i] of each row of a conversation, numbered from 0, or kNoBlock; a block is contiguous and
  // holds nothing that is supervised. `rows_per_image` splits touching images.
  std::vector<int32_t> (*blocks)(const Rows& rows, int64_t rows_per_image) = nullptr;
};

enum class UserText { outside, inside };  // does the user's text after an image join its block?

// Each image's rows, and perhaps that text: what several policies build on.
std::vector<int32_t> image_blocks(const Rows& rows, int64_t rows_per_image, UserText user_text);

}  // namespace sightline
