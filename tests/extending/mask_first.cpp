// first: only the first image's rows see each other; all else is causal.

#include "batch/mask_rule.h"

namespace sightline {
namespace {

std::vector<int32_t> first_image(const Rows& rows, int64_t rows_per_image) {
  std::vector<int32_t> blocks = image_blocks(rows, rows_per_image, UserText::outside);
  for (int32_t& block : blocks) {
    if (block > 0) block = kNoBlock;
  }
  return blocks;
}

}  // namespace

MaskRule mask_first() { return {Trunk::shared, first_image}; }

}  // namespace sightline
