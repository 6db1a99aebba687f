#pragma once
// Annotation files and pictures that the tests of data/ make for themselves.

#include "base/rng.h"
#include "image/encode.h"
#include "tests/message_of.h"
#include "tests/support.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace sightline::test {

inline void write_text(const std::filesystem::path& path, std::string_view text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

// A small PNG; another one for every seed.
inline std::string png_of(uint64_t seed, int width = 12, int height = 8) {
  Rng rng(seed);
  Image image = make_image(width, height);
  for (uint8_t& byte : image.rgb) byte = static_cast<uint8_t>(rng.below(256));
  return encode_png(image);
}

}  // namespace sightline::test
