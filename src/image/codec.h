#pragma once
// Inside image/: the decoders behind decode_image(), which return pixels as stored, and the
// orientation under which they are to be shown.

#include "image/image.h"

#include <csetjmp>
#include <cstddef>
#include <span>
#include <string_view>

namespace sightline {

struct DecodedImage {
  Image image;
  int orientation = 1;  // EXIF's 1..8; 1 shows the pixels as stored
};

DecodedImage decode_jpeg(std::span<const std::byte> bytes, std::string_view name);
DecodedImage decode_png(std::span<const std::byte> bytes, std::string_view name);
// `bytes` begin with a WebP's 12: "RIFF", a size, "WEBP".
DecodedImage decode_webp(std::span<const std::byte> bytes, std::string_view name);

// Error if a header's sizes are beyond kMaxImagePixels.
void check_dimensions(int64_t width, int64_t height, std::string_view name);

// libjpeg and libpng report errors by longjmp(). Runs `step` and says whether it came back without
// one. A jump skips the frames of `step` and of the library alone, so `step` must not own anything
// with a destructor: what C++ owns lives outside, and what the library owns is freed by its own
// struct.
template <class Step>
[[nodiscard]] bool completes_without_jump(std::jmp_buf& landing, const Step& step) {
  if (setjmp(landing) != 0) return false;
  step();
  return true;
}

}  // namespace sightline
