#include "batch/mask_policy.h"

#include "base/error.h"
#include "recipe/choices.h"

namespace sightline {

#define SIGHTLINE_DECLARE(name) MaskRule mask_##name();
SIGHTLINE_MASK_POLICIES(SIGHTLINE_DECLARE)
#undef SIGHTLINE_DECLARE

MaskRule rule_of(MaskPolicy policy) {
#define SIGHTLINE_CASE(name) \
  case MaskPolicy::name:     \
    return mask_##name();
  switch (policy) { SIGHTLINE_MASK_POLICIES(SIGHTLINE_CASE) }
#undef SIGHTLINE_CASE
  SL_ASSERT(false, "mask policy {}", static_cast<int>(policy));
}

std::vector<int32_t> blocks_of(const Rows& rows, MaskPolicy policy, int64_t rows_per_image) {
  return rule_of(policy).blocks(rows, rows_per_image);
}

std::vector<int32_t> image_blocks(const Rows& rows, int64_t rows_per_image, UserText user_text) {
  std::vector<int32_t> blocks(rows.tokens.size(), kNoBlock);
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

}  // namespace sightline
