#pragma once
// Annotation files and pictures that the tests of data/ make for themselves.

#include "base/error.h"
#include "base/rng.h"
#include "image/encode.h"
#include "tests/support.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>

namespace sightline::test {

// The message of the Error that `action` throws; "" where it throws none.
inline std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

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
