#include "batch/mask_policy.h"

#include "base/error.h"
#include "batch/layout.h"

#include <algorithm>

namespace sightline {
namespace {

using Blocks = std::vector<int32_t>;

enum class UserText { outside, inside };  // does the user's text after an image join its block?

Blocks image_blocks(const Rows& rows, int64_t rows_per_image, UserText user_text) {
  Blocks blocks(rows.tokens.size(), kNoBlock);
  int64_t image_rows = 0;
  int32_t open = kNoBlock;
  for (size_t i = 0; i < blocks.size(); ++i) {
    if (rows.tokens[i] == kImageRow) {
      SL_ASSERT(rows_per_image > 0, "image rows in a batch of a model of text alone");
      open = static_cast<int32_t>(image_rows++ / rows_per_image);
    } else if (user_text == UserText::outside || rows.kinds[i] != RowKind::user) {
      open = kNoBlock;
    }
    blocks[i] = open;
  }
  return blocks;
}

Blocks prefix_block(const Rows& rows) {
  Blocks blocks(rows.tokens.size(), kNoBlock);
  const auto first = std::find(rows.supervised.begin(), rows.supervised.end(), 1);
  if (first != rows.supervised.end() || rows.awaits_answer) {
    std::fill_n(blocks.begin(), first - rows.supervised.begin(), 0);
  }
  return blocks;
}

}  // namespace

Blocks blocks_of(const Rows& rows, MaskPolicy policy, int64_t rows_per_image) {
  switch (policy) {
    case MaskPolicy::causal:
      break;
    case MaskPolicy::image:
      return image_blocks(rows, rows_per_image, UserText::outside);
    case MaskPolicy::prefix:
      return prefix_block(rows);
    case MaskPolicy::question:
      return image_blocks(rows, rows_per_image, UserText::inside);
  }
  return Blocks(rows.tokens.size(), kNoBlock);
}

}  // namespace sightline
