#include "image/pad.h"

#include "image/codec.h"

#include <algorithm>

namespace sightline {

namespace {

constexpr int kBandPixels = 1 << 20;  // of the square, at a time

Image filled(int width, int height, const Colour& colour) {
  Image image = make_image(width, height);
  for (size_t i = 0; i < image.rgb.size(); ++i) image.rgb[i] = colour[i % 3];
  return image;
}

// Rows [first, first + count) of the image as the square holds them, bars to both sides included.
Image padded_rows(const Image& image, int first, int count, const Colour& colour) {
  const int side = std::max(image.width, image.height);
  Image rows = filled(side, count, colour);
  const size_t left = static_cast<size_t>((side - image.width) / 2) * 3;
  const size_t bytes = static_cast<size_t>(image.width) * 3;
  for (int y = 0; y < count; ++y) {
    std::copy_n(&image.rgb[(first + y) * bytes], bytes, &rows.rgb[y * size_t{3} * side + left]);
  }
  return rows;
}

// Puts `rows` into the square, or a strip of its columns, where the picture's row `first` belongs.
void place_rows(const Image& rows, int first, int picture_height, Image& square) {
  const int top = (square.height - picture_height) / 2;
  const size_t row_bytes = size_t{3} * square.width;
  std::copy(rows.rgb.begin(), rows.rgb.end(), square.rgb.begin() + (top + first) * row_bytes);
}

}  // namespace

Image pad_to_square(const Image& image, const Colour& colour) {
  const int side = std::max(image.width, image.height);
  check_dimensions(side, side, "a picture padded to a square");
  Image square = filled(side, side, colour);
  place_rows(padded_rows(image, 0, image.height, colour), 0, image.height, square);
  return square;
}

// Resizing goes across first and then down (resize.h; a square is cut alike in both). Across, bars
// above and below give their own colour: so only the picture's rows are worked on, band by band.
Image pad_and_resize(const Image& image, const Colour& colour, int size, Filter filter) {
  const int side = std::max(image.width, image.height);
  check_dimensions(size, side, "a picture to be padded to a square");
  Image strip = filled(size, side, colour);
  const int band = std::max(1, kBandPixels / side);
  for (int first = 0; first < image.height; first += band) {
    const int count = std::min(band, image.height - first);
    const Image rows = padded_rows(image, first, count, colour);
    place_rows(resize_part(rows, {size, 0, size}, {count, 0, count}, filter), first, image.height,
               strip);
  }
  return resize(strip, size, size, filter);
}

}  // namespace sightline
