#pragma once
// Pictures changed at random for training: a part cut out, mirrored, other light and colour.
// Brightness, contrast and saturation are Pillow's ImageEnhance, byte for byte.

#include "base/rng.h"
#include "image/image.h"

namespace sightline {

struct AugmentOptions {
  double crop = 1.0;    // least share of the area that is kept, above 0; 1: all
  double flip = 0.0;    // chance of a mirrored picture
  double colour = 0.0;  // largest relative change of brightness, contrast and saturation, below 1
  bool any() const { return crop < 1.0 || flip > 0.0 || colour > 0.0; }
};

// One draw: what is done to one picture, in this order.
struct Augmentation {
  int left = 0, top = 0, width = 0, height = 0;  // the part that is kept
  bool mirrored = false;
  double brightness = 1.0, contrast = 1.0, saturation = 1.0;  // 1: as it is
};

// The kept part has a share of the area between `crop` and 1, evenly drawn, and a shape between 3/4
// and 4/3 of the picture's own (its logarithm evenly drawn), as far as it fits.
Augmentation draw_augmentation(const AugmentOptions& options, int width, int height, Rng& rng);

Image augment(const Image& image, const Augmentation& augmentation);

}  // namespace sightline
