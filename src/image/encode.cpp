#include "image/encode.h"

#include "base/error.h"

#include <png.h>

namespace sightline {

std::string encode_png(const Image& image) {
  SL_ASSERT(image.width > 0 && image.height > 0 &&
                image.rgb.size() == size_t{3} * image.width * image.height,
            "cannot encode {} x {} pixels of {} bytes", image.width, image.height,
            image.rgb.size());
  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  header.width = static_cast<png_uint_32>(image.width);
  header.height = static_cast<png_uint_32>(image.height);
  header.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(header);
  std::string bytes(size, '\0');
  const int done = png_image_write_to_memory(&header, bytes.data(), &size, /*convert_to_8_bit=*/0,
                                             image.rgb.data(), /*row_stride=*/0, nullptr);
  SL_ASSERT(done != 0, "libpng cannot encode {} x {} pixels: {}", image.width, image.height,
            header.message);
  bytes.resize(size);
  return bytes;
}

}  // namespace sightline
