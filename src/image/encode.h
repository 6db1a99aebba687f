#pragma once
// Pixels to PNG bytes, for generated scenes and tests.

#include "image/image.h"

#include <string>

namespace sightline {

// The same bytes for the same pixels (and the same libpng and zlib). decode_image gives `image`
// back. Asserts that the image is not empty and its buffer of the right size.
std::string encode_png(const Image& image);

}  // namespace sightline
