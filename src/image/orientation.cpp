#include "image/orientation.h"

#include <cstdint>
#include <cstring>
#include <utility>

namespace sightline {

namespace {

enum class ByteOrder { little, big };

// Reads numbers of a TIFF structure; outside of it there is nothing to read.
class TiffReader {
 public:
  TiffReader(std::string_view bytes, ByteOrder order) : bytes_(bytes), order_(order) {}

  std::optional<uint32_t> read(size_t offset, size_t size) const {
    if (offset > bytes_.size() || size > bytes_.size() - offset) return std::nullopt;
    uint32_t value = 0;
    for (size_t i = 0; i < size; ++i) {
      const size_t at = order_ == ByteOrder::big ? offset + i : offset + size - 1 - i;
      value = value << 8 | static_cast<uint8_t>(bytes_[at]);
    }
    return value;
  }

 private:
  std::string_view bytes_;
  ByteOrder order_;
};

constexpr uint32_t kOrientationTag = 0x0112;
constexpr uint32_t kTypeShort = 3;
constexpr uint32_t kTypeLong = 4;
constexpr size_t kEntryBytes = 12;  // tag 2, type 2, count 4, value 4

}  // namespace

std::optional<int> orientation_from_exif(std::string_view exif) {
  constexpr std::string_view kPrefix("Exif\0\0", 6);
  while (exif.starts_with(kPrefix)) exif.remove_prefix(kPrefix.size());
  const bool little = exif.starts_with(std::string_view("II*\0", 4));
  if (!little && !exif.starts_with(std::string_view("MM\0*", 4))) return std::nullopt;
  const TiffReader tiff(exif, little ? ByteOrder::little : ByteOrder::big);
  const size_t directory = tiff.read(4, 4).value_or(UINT32_MAX);
  const uint32_t entries = tiff.read(directory, 2).value_or(0);
  for (uint32_t i = 0; i < entries; ++i) {
    const size_t entry = directory + 2 + i * kEntryBytes;
    const auto tag = tiff.read(entry, 2);
    if (!tag) return std::nullopt;
    if (*tag != kOrientationTag) continue;
    const auto type = tiff.read(entry + 2, 2);
    if (tiff.read(entry + 4, 4) != 1u) return std::nullopt;
    if (type != kTypeShort && type != kTypeLong) return std::nullopt;
    const auto value = tiff.read(entry + 8, type == kTypeShort ? 2 : 4);
    if (!value || *value > 8) return 1;
    return static_cast<int>(*value);
  }
  return std::nullopt;
}

std::optional<int> orientation_from_xmp(std::string_view xmp) {
  constexpr std::string_view kName = "tiff:Orientation";
  for (size_t at = xmp.find(kName); at != xmp.npos; at = xmp.find(kName, at + 1)) {
    std::string_view rest = xmp.substr(at + kName.size());
    if (rest.starts_with("=\"")) {
      rest.remove_prefix(2);
    } else if (rest.starts_with(">")) {
      rest.remove_prefix(1);
    } else {
      continue;
    }
    if (!rest.empty() && rest[0] >= '0' && rest[0] <= '9') return rest[0] - '0';
  }
  return std::nullopt;
}

Image apply_orientation(Image image, int orientation) {
  if (orientation < 2 || orientation > 8) return image;
  // Orientations 5..8 exchange rows and columns. Of the shown pixel (x, y), a and b are its place
  // along the stored row and column, each perhaps counted from the far end.
  const bool transposed = orientation >= 5;
  const bool from_right =
      orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_bottom =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Image shown =
      transposed ? make_image(image.height, image.width) : make_image(image.width, image.height);
  uint8_t* target = shown.rgb.data();
  for (int y = 0; y < shown.height; ++y) {
    for (int x = 0; x < shown.width; ++x, target += 3) {
      int a = transposed ? y : x;
      int b = transposed ? x : y;
      if (from_right) a = image.width - 1 - a;
      if (from_bottom) b = image.height - 1 - b;
      std::memcpy(target, &image.rgb[(static_cast<size_t>(b) * image.width + a) * 3], 3);
    }
  }
  return shown;
}

}  // namespace sightline
