#pragma once
// JPEG, PNG and WebP files to pixels, by libjpeg-turbo, libpng and libwebp.
//
// The oracle is Pillow's ImageOps.exif_transpose(Image.open(f)).convert("RGB"): slow integer DCT,
// fancy upsampling, alpha dropped, no gamma or colour profile applied, the orientation of EXIF (or,
// without it, of XMP) applied. Three things differ on purpose:
//   - 16-bit grey PNGs keep their high byte, as Pillow does for 16-bit colour; for grey it
//     saturates everything above 255 to white;
//   - a damaged or truncated file is an Error even where Pillow fills the rest with grey, or where
//     only the end marker is missing: every proper prefix of a file is refused;
//   - an animated WebP is an Error, where Pillow takes its first picture.

#include "image/image.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

namespace sightline {

// Larger pictures are refused: Pillow's limit for "decompression bombs" (twice 1 GiB / 4 / 3).
inline constexpr int64_t kMaxImagePixels = 178'956'970;

// The kind of file is found from its first bytes, never from `name`, which only names it in errors.
// Error: empty, neither JPEG, PNG nor WebP, damaged, truncated, too large, or of an unsupported
// kind.
Image decode_image(std::span<const std::byte> bytes, std::string_view name);

// decode_image of a whole file.
Image read_image(const std::filesystem::path& path);

}  // namespace sightline
