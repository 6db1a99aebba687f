// The baseline and progressive JPEGs that libjpeg-turbo reads.

#include "base/error.h"
#include "image/codec.h"
#include "image/orientation.h"

#include <cstdio>  // jpeglib.h needs it first
#include <jerror.h>
#include <string>

#include <jpeglib.h>

namespace sightline {

namespace {

// libjpeg's decompressor with errors that land in completes_without_jump().
class JpegReader {
 public:
  explicit JpegReader(std::span<const std::byte> bytes) : bytes_(bytes) {
    info_.err = jpeg_std_error(&errors_);
    info_.client_data = this;
    errors_.error_exit = [](j_common_ptr common) { jump(common); };
    errors_.emit_message = [](j_common_ptr common, int level) {
      // Level -1 is a warning: data that is missing, damaged or guessed at.
      const bool harmless = common->err->msg_code == JWRN_JFIF_MAJOR;
      if (level < 0 && !harmless) jump(common);
    };
    errors_.output_message = [](j_common_ptr) {};
  }
  ~JpegReader() { jpeg_destroy_decompress(&info_); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  jpeg_decompress_struct& info() { return info_; }
  const char* message() const { return message_; }

  template <class Step>
  [[nodiscard]] bool run(const Step& step) {
    return completes_without_jump(landing_, step);
  }

  [[nodiscard]] bool read_header() {
    return run([this] {
      jpeg_create_decompress(&info_);
      jpeg_mem_src(&info_, reinterpret_cast<const unsigned char*>(bytes_.data()), bytes_.size());
      jpeg_save_markers(&info_, JPEG_APP0 + 1, 0xFFFF);  // EXIF and XMP
      jpeg_read_header(&info_, TRUE);
    });
  }

 private:
  [[noreturn]] static void jump(j_common_ptr common) {
    auto* self = static_cast<JpegReader*>(common->client_data);
    common->err->format_message(common, self->message_);
    std::longjmp(self->landing_, 1);
  }

  std::span<const std::byte> bytes_;
  jpeg_decompress_struct info_{};
  jpeg_error_mgr errors_{};
  std::jmp_buf landing_{};
  char message_[JMSG_LENGTH_MAX] = "";
};

// Pillow's: the EXIF segments joined, and only where they name no orientation the XMP packet.
int stored_orientation(const jpeg_decompress_struct& info) {
  constexpr std::string_view kExif("Exif\0\0", 6);
  constexpr std::string_view kXmp("http://ns.adobe.com/xap/1.0/\0", 29);
  std::string exif;
  std::string_view xmp;
  for (const auto* marker = info.marker_list; marker != nullptr; marker = marker->next) {
    const std::string_view text(reinterpret_cast<const char*>(marker->data), marker->data_length);
    if (text.starts_with(kExif)) exif += text.substr(exif.empty() ? 0 : kExif.size());
    if (text.starts_with(kXmp)) xmp = text.substr(kXmp.size());
  }
  if (const auto orientation = orientation_from_exif(exif)) return *orientation;
  return orientation_from_xmp(xmp).value_or(1);
}

// a * b / 255, rounded: exact for bytes.
int multiply_bytes(int a, int b) {
  const int product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

// Adobe stores ink inverted (255 is none), so that each stored value is already the light that its
// ink lets through. Pillow takes every four-component JPEG so, and inverts before it multiplies;
// the rounding of the inverted product is kept.
void ink_to_rgb(const uint8_t* cmyk, uint8_t* rgb, int width) {
  for (int x = 0; x < width; ++x, cmyk += 4, rgb += 3) {
    const int black = cmyk[3];
    for (int c = 0; c < 3; ++c) {
      rgb[c] = static_cast<uint8_t>(black - multiply_bytes(255 - cmyk[c], black));
    }
  }
}

}  // namespace

DecodedImage decode_jpeg(std::span<const std::byte> bytes, std::string_view name) {
  JpegReader reader(bytes);
  jpeg_decompress_struct& info = reader.info();
  const auto check_done = [&](bool done) {
    check(done, "{}: damaged or truncated JPEG: {}; replace or re-save the file", name,
          reader.message());
  };
  check_done(reader.read_header());
  check_dimensions(info.image_width, info.image_height, name);
  check(info.num_components == 1 || info.num_components == 3 || info.num_components == 4,
        "{}: JPEG with {} colour components; save it as grey, RGB or CMYK", name,
        info.num_components);

  const int width = static_cast<int>(info.image_width);
  DecodedImage decoded{make_image(width, static_cast<int>(info.image_height)),
                       stored_orientation(info)};
  const bool inks = info.num_components == 4;
  info.out_color_space = inks ? JCS_CMYK : JCS_RGB;
  std::vector<uint8_t> ink_row(inks ? static_cast<size_t>(width) * 4 : 0);
  uint8_t* const pixels = decoded.image.rgb.data();
  uint8_t* const inks_at = ink_row.data();
  check_done(reader.run([&] {
    jpeg_start_decompress(&info);
    while (info.output_scanline < info.output_height) {
      uint8_t* rgb = pixels + static_cast<size_t>(info.output_scanline) * width * 3;
      JSAMPROW row = inks ? inks_at : rgb;
      jpeg_read_scanlines(&info, &row, 1);
      if (inks) ink_to_rgb(inks_at, rgb, width);
    }
    jpeg_finish_decompress(&info);
  }));
  return decoded;
}

}  // namespace sightline
