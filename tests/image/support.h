#pragma once
// Pictures and files that the tests of image/ make for themselves.

#include "base/rng.h"
#include "image/decode.h"
#include "image/image.h"

#include <cstddef>
#include <cstdio>  // jpeglib.h needs it first
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <webp/encode.h>

#include <jpeglib.h>
#include <png.h>

namespace sightline::test {

inline Image random_image(int width, int height, uint64_t seed) {
  Rng rng(seed);
  Image image = make_image(width, height);
  for (uint8_t& byte : image.rgb) byte = static_cast<uint8_t>(rng.below(256));
  return image;
}

// Every pixel tells its place.
inline Image numbered_image(int width, int height) {
  Image image = make_image(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      uint8_t* pixel = &image.rgb[(static_cast<size_t>(y) * width + x) * 3];
      pixel[0] = static_cast<uint8_t>(x);
      pixel[1] = static_cast<uint8_t>(y);
      pixel[2] = static_cast<uint8_t>(x + y);
    }
  }
  return image;
}

struct JpegOptions {
  bool grey = false;         // keep the first channel alone
  bool progressive = false;  // several scans
  std::string app1;          // an APP1 segment's content, left out where empty
};

inline std::string encode_jpeg(const Image& image, const JpegOptions& options = {}) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &bytes, &size);
  info.image_width = image.width;
  info.image_height = image.height;
  info.input_components = options.grey ? 1 : 3;
  info.in_color_space = options.grey ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 100, TRUE);
  if (options.progressive) jpeg_simple_progression(&info);
  jpeg_start_compress(&info, TRUE);
  if (!options.app1.empty()) {
    jpeg_write_marker(&info, JPEG_APP0 + 1, reinterpret_cast<const JOCTET*>(options.app1.data()),
                      options.app1.size());
  }
  std::vector<uint8_t> row(static_cast<size_t>(image.width) * info.input_components);
  while (info.next_scanline < info.image_height) {
    const uint8_t* source = &image.rgb[static_cast<size_t>(info.next_scanline) * image.width * 3];
    for (int x = 0; x < image.width; ++x) {
      for (int c = 0; c < info.input_components; ++c) {
        row[x * info.input_components + c] = source[x * 3 + c];
      }
    }
    JSAMPROW at = row.data();
    jpeg_write_scanlines(&info, &at, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  std::string result(reinterpret_cast<char*>(bytes), size);
  std::free(bytes);
  return result;
}

enum class WebpQuality { lossy, lossless };

inline std::string encode_webp(const Image& image, WebpQuality quality) {
  uint8_t* bytes = nullptr;
  const size_t size =
      quality == WebpQuality::lossless
          ? WebPEncodeLosslessRGB(image.rgb.data(), image.width, image.height, 3 * image.width,
                                  &bytes)
          : WebPEncodeRGB(image.rgb.data(), image.width, image.height, 3 * image.width, 95, &bytes);
  std::string result(reinterpret_cast<char*>(bytes), size);
  WebPFree(bytes);
  return result;
}

struct PngOptions {
  int color_type = PNG_COLOR_TYPE_RGB;
  int bit_depth = 8;
  int interlace = PNG_INTERLACE_NONE;
};

// `rows` holds the rows as PNG stores them.
inline std::string encode_png_rows(int width, int height, std::string rows, PngOptions options) {
  std::string bytes;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(
      png, &bytes,
      [](png_structp writer, png_bytep data, size_t size) {
        static_cast<std::string*>(png_get_io_ptr(writer))
            ->append(reinterpret_cast<char*>(data), size);
      },
      nullptr);
  png_set_IHDR(png, info, width, height, options.bit_depth, options.color_type, options.interlace,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  std::vector<png_bytep> at(height);
  for (int y = 0; y < height; ++y) {
    at[y] = reinterpret_cast<png_bytep>(rows.data()) + y * (rows.size() / height);
  }
  png_set_rows(png, info, at.data());
  png_write_png(png, info, PNG_TRANSFORM_IDENTITY, nullptr);
  png_destroy_write_struct(&png, &info);
  return bytes;
}

inline Image decode_text(std::string_view bytes, std::string_view name = "some.jpg") {
  return decode_image(std::as_bytes(std::span(bytes)), name);
}

inline std::string raw_bytes(const Image& image) {
  return {reinterpret_cast<const char*>(image.rgb.data()), image.rgb.size()};
}

// Where two byte strings of one length differ: the largest difference and how many differ.
struct ByteDifference {
  int largest = 0;
  size_t count = 0;
};

inline ByteDifference compare_bytes(std::string_view a, std::string_view b) {
  ByteDifference difference;
  for (size_t i = 0; i < a.size(); ++i) {
    const int distance = std::abs(static_cast<uint8_t>(a[i]) - static_cast<uint8_t>(b[i]));
    difference.largest = std::max(difference.largest, distance);
    difference.count += distance != 0;
  }
  return difference;
}

}  // namespace sightline::test
