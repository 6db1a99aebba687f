#pragma once
// A picture in memory.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sightline {

// 8-bit RGB, row-major and interleaved: rgb[(y * width + x) * 3 + channel], without padding.
// Invariant: rgb.size() == 3 * width * height, and both sizes are at least 1 once filled.
struct Image {
  int width = 0, height = 0;
  std::vector<uint8_t> rgb;
};

inline Image make_image(int width, int height) {
  return {width, height, std::vector<uint8_t>(static_cast<size_t>(width) * height * 3)};
}

}  // namespace sightline
