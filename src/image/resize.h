#pragma once
// Resizing whose bytes equal Pillow's Image.resize(), so that a model sees the pixels it was
// trained on.
//
// The method is Pillow's antialiased convolution (libImaging/Resample.c): the filter is widened by
// the scale when shrinking, its weights are rounded to 22 fractional bits, and the image goes
// through a horizontal and a vertical pass with a rounding to 8 bits between. A pass that would not
// change its side is left out. The vertical pass comes first where it cuts off more than twice as
// many rows as the other would cut columns: so since Pillow 13. Up to Pillow 12 it came last,
// whence other roundings for tall pictures: a level here and there, more where the cubic clips at
// an edge.

#include "image/image.h"

#include <cstdint>
#include <string_view>

namespace sightline {

enum class Filter {
  bilinear,  // triangle, 1 pixel to each side
  bicubic,   // Keys' cubic with a = -0.5, 2 pixels to each side
};

std::string_view filter_name(Filter filter);

// Of one side of the resized picture, the part that is wanted: [first, first + count) of `full`.
struct Range {
  int64_t full = 0;
  int64_t first = 0;
  int count = 0;
};

// The pixels of that part and no others: the same as resizing to across.full x down.full and
// cutting the part out, without the work and the memory for the rest. Any sizes from 1 x 1 up;
// asserts that the image is not empty and the ranges lie inside.
Image resize_part(const Image& image, const Range& across, const Range& down, Filter filter);

inline Image resize(const Image& image, int width, int height, Filter filter) {
  return resize_part(image, {width, 0, width}, {height, 0, height}, filter);
}
inline Image resize_bicubic(const Image& image, int width, int height) {
  return resize(image, width, height, Filter::bicubic);
}
inline Image resize_bilinear(const Image& image, int width, int height) {
  return resize(image, width, height, Filter::bilinear);
}

}  // namespace sightline
