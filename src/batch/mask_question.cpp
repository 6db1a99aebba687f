// question: each image's rows with the user's text that follows it in that turn; no image, no
// block. A trunk would end in a block that goes on in its branches, so there is none.

#include "batch/mask_rule.h"

namespace sightline {

MaskRule mask_question() {
  return {Trunk::own, [](const Rows& rows, int64_t rows_per_image) {
            return image_blocks(rows, rows_per_image, UserText::inside);
          }};
}

}  // namespace sightline
