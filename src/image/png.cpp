// PNGs of every kind, through libpng.

#include "base/error.h"
#include "image/codec.h"
#include "image/orientation.h"

#include <charconv>
#include <cstring>
#include <string>

#include <png.h>

namespace sightline {

namespace {

// libpng's reader with errors that land in completes_without_jump().
class PngReader {
 public:
  explicit PngReader(std::span<const std::byte> bytes) : rest_(bytes) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, &on_error, &on_warning);
    SL_ASSERT(png_ != nullptr, "libpng cannot make a reader");
    info_ = png_create_info_struct(png_);
    SL_ASSERT(info_ != nullptr, "libpng cannot make an info struct");
    png_set_read_fn(png_, this, &on_read);
  }
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  png_structp png() { return png_; }
  png_infop info() { return info_; }
  const char* message() const { return message_; }

  template <class Step>
  [[nodiscard]] bool run(const Step& step) {
    return completes_without_jump(landing_, step);
  }

 private:
  [[noreturn]] static void on_error(png_structp png, png_const_charp message) {
    auto* self = static_cast<PngReader*>(png_get_error_ptr(png));
    std::strncpy(self->message_, message, sizeof self->message_ - 1);
    std::longjmp(self->landing_, 1);
  }
  // libpng warns of what leaves the pixels alone (a strange colour profile, a text chunk that it
  // passes over); whatever touches them is an error of its own.
  static void on_warning(png_structp, png_const_charp) {}
  static void on_read(png_structp png, png_bytep target, size_t size) {
    auto* self = static_cast<PngReader*>(png_get_io_ptr(png));
    if (size > self->rest_.size()) png_error(png, "the file ends too early");
    std::memcpy(target, self->rest_.data(), size);
    self->rest_ = self->rest_.subspan(size);
  }

  std::span<const std::byte> rest_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::jmp_buf landing_{};
  char message_[160] = "";
};

// The text chunk that ImageMagick writes: a name, a length and the bytes in hexadecimal, by lines.
std::string exif_from_raw_profile(std::string_view text) {
  for (int line = 0; line < 3; ++line) {
    const size_t end = text.find('\n');
    if (end == text.npos) return "";
    text.remove_prefix(end + 1);
  }
  std::string digits;
  for (const char c : text) {
    if (c != '\n') digits += c;
  }
  std::string bytes;
  for (size_t i = 0; i + 1 < digits.size(); i += 2) {
    uint8_t value = 0;
    if (std::from_chars(&digits[i], &digits[i] + 2, value, 16).ptr != &digits[i] + 2) break;
    bytes += static_cast<char>(value);
  }
  return bytes;
}

// Pillow's order: the eXIf chunk, else ImageMagick's profile, else XMP. After the whole file is
// read, since these chunks may follow the pixels.
int stored_orientation(PngReader& reader) {
  png_textp texts = nullptr;
  int count = 0;
  png_get_text(reader.png(), reader.info(), &texts, &count);
  const auto text_named = [&](std::string_view key) -> std::string_view {
    for (int i = 0; i < count; ++i) {
      if (texts[i].key != key || texts[i].text == nullptr) continue;
      return {texts[i].text, texts[i].compression >= PNG_ITXT_COMPRESSION_NONE
                                 ? texts[i].itxt_length
                                 : texts[i].text_length};
    }
    return {};
  };
  std::string exif = exif_from_raw_profile(text_named("Raw profile type exif"));
  png_uint_32 size = 0;
  png_bytep chunk = nullptr;
  if (png_get_eXIf_1(reader.png(), reader.info(), &size, &chunk) != 0) {
    exif.assign(reinterpret_cast<const char*>(chunk), size);
  }
  if (const auto orientation = orientation_from_exif(exif)) return *orientation;
  return orientation_from_xmp(text_named("XML:com.adobe.xmp")).value_or(1);
}

// Every kind of PNG to 8-bit RGB: palettes looked up, 1, 2 and 4 bits spread over 0..255, of 16
// bits the high byte kept, grey repeated, alpha dropped.
void request_rgb(png_structp png, png_infop info) {
  png_set_strip_16(png);
  png_set_palette_to_rgb(png);
  png_set_expand_gray_1_2_4_to_8(png);
  png_set_gray_to_rgb(png);
  png_set_strip_alpha(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
}

}  // namespace

DecodedImage decode_png(std::span<const std::byte> bytes, std::string_view name) {
  PngReader reader(bytes);
  png_structp png = reader.png();
  png_infop info = reader.info();
  const auto check_done = [&](bool done) {
    check(done, "{}: damaged or truncated PNG: {}; replace or re-save the file", name,
          reader.message());
  };
  check_done(reader.run([&] { png_read_info(png, info); }));
  const auto width = png_get_image_width(png, info);
  const auto height = png_get_image_height(png, info);
  check_dimensions(width, height, name);
  check_done(reader.run([&] { request_rgb(png, info); }));
  const size_t row_bytes = png_get_rowbytes(png, info);
  SL_ASSERT(row_bytes == size_t{3} * width, "a PNG row of {} pixels has {} bytes", width,
            row_bytes);

  DecodedImage decoded{make_image(static_cast<int>(width), static_cast<int>(height))};
  std::vector<png_bytep> rows(height);
  for (size_t y = 0; y < height; ++y) rows[y] = decoded.image.rgb.data() + y * row_bytes;
  png_bytepp rows_at = rows.data();
  check_done(reader.run([&] {
    png_read_image(png, rows_at);
    png_read_end(png, info);
  }));
  decoded.orientation = stored_orientation(reader);
  return decoded;
}

}  // namespace sightline
