#pragma once
// Inside image/: a picture made square by bars of one colour, as LLaVA's expand2square does it.

#include "image/image.h"
#include "image/resize.h"

#include <array>
#include <cstdint>

namespace sightline {

using Colour = std::array<uint8_t, 3>;

// A square of the longer side; the picture starts at floor((longer - shorter) / 2).
Image pad_to_square(const Image& image, const Colour& colour);

// resize(pad_to_square(image, colour), size, size, filter), byte for byte, without ever holding the
// whole square. Error where even a strip of it is beyond kMaxImagePixels.
Image pad_and_resize(const Image& image, const Colour& colour, int size, Filter filter);

}  // namespace sightline
