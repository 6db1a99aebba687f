#pragma once
// A scene as pixels.

#include "data/scene.h"
#include "image/image.h"

namespace sightline::scenes {

// kSide x kSide pixels, edges smoothed by 4 x 4 samples a pixel. Integers only: the same bytes on
// every machine.
Image draw(const Scene& scene);

}  // namespace sightline::scenes
