// image: each image's rows; images that touch are one block each.

#include "batch/mask_rule.h"

namespace sightline {

MaskRule mask_image() {
  return {Trunk::shared, [](const Rows& rows, int64_t rows_per_image) {
            return image_blocks(rows, rows_per_image, UserText::outside);
          }};
}

}  // namespace sightline
