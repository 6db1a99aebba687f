// Still WebP pictures, lossy and lossless, by libwebp. The file is a RIFF of chunks; libwebp finds
// the picture's, we those that tell the orientation.

#include "base/error.h"
#include "image/codec.h"
#include "image/orientation.h"

#include <cstdint>
#include <string>
#include <webp/decode.h>

namespace sightline {

namespace {

constexpr size_t kChunkHeader = 8;  // name 4, size 4
constexpr size_t kFileHeader = 12;  // "RIFF", size of what follows, "WEBP"

size_t size_at(std::string_view file, size_t at) {
  size_t size = 0;
  for (size_t i = 4; i-- > 0;) size = size << 8 | static_cast<uint8_t>(file[at + i]);
  return size;
}

// The content of the first chunk of that name, "" where there is none. Chunks begin at even places.
std::string_view chunk_named(std::string_view file, std::string_view name) {
  for (size_t at = kFileHeader; at + kChunkHeader <= file.size();) {
    const size_t size = size_at(file, at + 4);
    const std::string_view content = file.substr(at + kChunkHeader);
    if (size > content.size()) return "";
    if (file.substr(at).starts_with(name)) return content.substr(0, size);
    at += kChunkHeader + size + size % 2;
  }
  return "";
}

int stored_orientation(std::string_view file) {
  if (const auto orientation = orientation_from_exif(chunk_named(file, "EXIF"))) {
    return *orientation;
  }
  return orientation_from_xmp(chunk_named(file, "XMP ")).value_or(1);
}

}  // namespace

DecodedImage decode_webp(std::span<const std::byte> bytes, std::string_view name) {
  std::string_view file(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const size_t announced = kChunkHeader + size_at(file, 4);
  check(file.size() >= announced,
        "{}: truncated WebP: {} of {} bytes are there; replace or re-save the file", name,
        file.size(), announced);
  file = file.substr(0, announced);
  const auto* data = reinterpret_cast<const uint8_t*>(file.data());
  WebPBitstreamFeatures features;
  const auto check_done = [&](bool done) {
    check(done, "{}: damaged WebP; replace or re-save the file", name);
  };
  check_done(WebPGetFeatures(data, file.size(), &features) == VP8_STATUS_OK);
  check(features.has_animation == 0, "{}: is an animated WebP; save one of its pictures", name);
  check_dimensions(features.width, features.height, name);
  DecodedImage decoded{make_image(features.width, features.height), stored_orientation(file)};
  auto& rgb = decoded.image.rgb;
  check_done(WebPDecodeRGBInto(data, file.size(), rgb.data(), rgb.size(), 3 * features.width) !=
             nullptr);
  return decoded;
}

}  // namespace sightline
