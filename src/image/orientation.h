#pragma once
// How a camera was held, as EXIF (tag 0x0112) or XMP (tiff:Orientation) tell it.

#include "image/image.h"

#include <optional>
#include <string_view>

namespace sightline {

// `exif` is a TIFF structure, with or without "Exif\0\0" before it. Nothing where the tag is absent
// or the structure is broken: files with a broken EXIF block are common and their pixels sound.
std::optional<int> orientation_from_exif(std::string_view exif);
std::optional<int> orientation_from_xmp(std::string_view xmp);

// The picture as it is to be seen: mirrored or turned for orientations 2..8, as it is for any
// other.
Image apply_orientation(Image image, int orientation);

}  // namespace sightline
