// causal: no blocks.

#include "batch/mask_rule.h"

namespace sightline {

MaskRule mask_causal() {
  return {Trunk::shared, [](const Rows& rows, int64_t) {
            return std::vector<int32_t>(rows.tokens.size(), kNoBlock);
          }};
}

}  // namespace sightline
