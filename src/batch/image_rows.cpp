#include "batch/image_rows.h"

#include "base/error.h"

namespace sightline {

int64_t rows_per_image(const VisionConfig& vision, const ConnectorConfig& connector) {
  if (!connector.has_factor()) return vision.num_patches();
  const int64_t side = vision.patches_per_side();
  const int64_t factor = connector.factor;
  check(
      factor > 0 && side % factor == 0,
      "connector: factor = {} does not divide the vision model's grid of {} x {} patches; choose a "
      "divisor of {}",
      factor, side, side, side);
  return (side / factor) * (side / factor);
}

}  // namespace sightline
