#include "image/decode.h"

#include "base/error.h"
#include "base/file.h"
#include "image/codec.h"
#include "image/orientation.h"

#include <algorithm>
#include <array>
#include <string>

namespace sightline {

namespace {

using namespace std::string_view_literals;

// Other kinds that people have, so that the error can say what the file is.
std::string_view other_kind(std::string_view head) {
  struct Kind {
    size_t offset;
    std::string_view magic, name;
  };
  static constexpr std::array kKinds = {
      Kind{0, "GIF8"sv, "a GIF"},      Kind{0, "BM"sv, "a BMP"},
      Kind{0, "II*\0"sv, "a TIFF"},    Kind{0, "MM\0*"sv, "a TIFF"},
      Kind{4, "ftypheic"sv, "a HEIC"}, Kind{4, "ftypavif"sv, "an AVIF"},
      Kind{0, "%PDF"sv, "a PDF"},      Kind{0, "\0\0\0\x0CjP"sv, "a JPEG 2000"},
  };
  for (const Kind& kind : kKinds) {
    if (head.size() > kind.offset && head.substr(kind.offset).starts_with(kind.magic)) {
      return kind.name;
    }
  }
  return "";
}

std::string printable_start(std::string_view text) {
  std::string shown;
  for (const char c : text.substr(0, 16)) {
    shown += c >= ' ' && c <= '~' ? std::string(1, c)
                                  : fmt::format("\\x{:02x}", static_cast<uint8_t>(c));
  }
  return shown;
}

[[noreturn]] void fail_unknown_kind(std::string_view text, std::string_view name) {
  check(!text.empty(), "{}: the file is empty (0 bytes); replace it", name);
  const std::string_view kind = other_kind(text);
  check(kind.empty(), "{}: is {} file; JPEG, PNG and WebP are read, convert it", name, kind);
  fail("{}: is no JPEG, PNG or WebP image, whatever its name says (it starts with \"{}\")", name,
       printable_start(text));
}

}  // namespace

void check_dimensions(int64_t width, int64_t height, std::string_view name) {
  check(width > 0 && height > 0, "{}: an image of {} x {} pixels", name, width, height);
  check(width * height <= kMaxImagePixels,
        "{}: {} x {} pixels are more than the limit of {}; scale the image down", name, width,
        height, kMaxImagePixels);
}

Image decode_image(std::span<const std::byte> bytes, std::string_view name) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto decode = [&]() -> DecodedImage {
    if (text.starts_with("\xFF\xD8\xFF"sv)) return decode_jpeg(bytes, name);
    if (text.starts_with("\x89PNG\r\n\x1A\n"sv)) return decode_png(bytes, name);
    if (text.starts_with("RIFF"sv) && text.substr(0, 12).ends_with("WEBP"sv)) {
      return decode_webp(bytes, name);
    }
    fail_unknown_kind(text, name);
  };
  DecodedImage decoded = decode();
  return apply_orientation(std::move(decoded.image), decoded.orientation);
}

Image read_image(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  return decode_image(std::as_bytes(std::span(bytes)), path.string());
}

}  // namespace sightline
