#include "image/decode.h"

#include "base/error.h"
#include "base/file.h"
#include "image/encode.h"
#include "tests/image/support.h"
#include "tests/support.h"

#include <zlib.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {

namespace {

using namespace std::string_literals;
using namespace test;
using testing::HasSubstr;

// What decoding says, or "" where it raises no Error. Nothing may reach stderr.
std::string error_of(std::string_view bytes, std::string_view name = "folder/cat.jpg") {
  testing::internal::CaptureStderr();
  std::string message;
  try {
    decode_text(bytes, name);
  } catch (const Error& error) {
    message = error.what();
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  return message;
}

void expect_error(std::string_view bytes, std::string_view part) {
  const std::string message = error_of(bytes);
  EXPECT_THAT(message, testing::StartsWith("folder/cat.jpg: "));
  EXPECT_THAT(message, HasSubstr(std::string(part)));
  EXPECT_THAT(message, Not(HasSubstr("\n")));
}

std::string big_endian(uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

// A PNG's start, header with its checksum and announced pixels, that claims these sizes.
std::string png_header(uint32_t width, uint32_t height) {
  const std::string body = "IHDR"s + big_endian(width) + big_endian(height) + "\x08\x02\0\0\0"s;
  const auto crc = crc32(0, reinterpret_cast<const Bytef*>(body.data()), body.size());
  return "\x89PNG\r\n\x1A\n"s + big_endian(13) + body + big_endian(static_cast<uint32_t>(crc)) +
         big_endian(9) + "IDAT";
}

// Where a marker (FF xx) stands in a JPEG.
size_t marker_at(const std::string& jpeg, unsigned char marker) {
  return jpeg.find("\xFF"s + static_cast<char>(marker));
}

std::string exif_segment(int orientation, char order) {
  const std::string value = {0, static_cast<char>(orientation)};
  if (order == 'M')
    return "Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01"s + value + "\0\0"s;
  const std::string swapped = {value[1], value[0]};
  return "Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0"s + swapped + "\0\0"s;
}

TEST(Decode, PngGivesItsPixelsBack) {
  for (const auto& [width, height] : {std::pair{1, 1}, {7, 3}, {64, 64}, {3, 200}}) {
    const Image image = random_image(width, height, 3);
    const Image decoded = decode_text(encode_png(image));
    EXPECT_EQ(decoded.width, width);
    EXPECT_EQ(decoded.height, height);
    EXPECT_EQ(decoded.rgb, image.rgb);
  }
  EXPECT_EQ(encode_png(random_image(40, 30, 1)), encode_png(random_image(40, 30, 1)));
}

TEST(Decode, JpegIsCloseToItsPixels) {
  const Image image = numbered_image(90, 50);
  for (const bool progressive : {false, true}) {
    const Image decoded = decode_text(encode_jpeg(image, {.progressive = progressive}));
    ASSERT_EQ(decoded.rgb.size(), image.rgb.size());
    EXPECT_LE(compare_bytes(raw_bytes(decoded), raw_bytes(image)).largest, 6);
  }
}

TEST(Decode, LosslessWebpGivesItsPixelsBack) {
  for (const auto& [width, height] : {std::pair{1, 1}, {1, 9}, {31, 2}, {57, 40}}) {
    const Image image = random_image(width, height, width);
    EXPECT_EQ(raw_bytes(decode_text(encode_webp(image, WebpQuality::lossless))), raw_bytes(image));
  }
  const Image image = numbered_image(64, 48);
  const Image close = decode_text(encode_webp(image, WebpQuality::lossy));
  ASSERT_EQ(close.width, 64);
  EXPECT_LE(compare_bytes(raw_bytes(close), raw_bytes(image)).largest, 60);
}

TEST(Decode, AnAnimatedWebpIsRefused) {
  std::string file = "RIFF" + std::string(4, '\0') + "WEBPVP8X" + std::string("\x0a\0\0\0", 4) +
                     std::string("\x02\0\0\0", 4) + std::string("\x09\0\0\x09\0\0", 6) + "ANIM" +
                     std::string("\x06\0\0\0\0\0\0\0\0\0", 10);
  file[4] = static_cast<char>(file.size() - 8);
  expect_error(file, "animated WebP");
}

TEST(Decode, GreyJpegHasThreeEqualChannels) {
  const Image decoded = decode_text(encode_jpeg(numbered_image(33, 20), {.grey = true}));
  ASSERT_EQ(decoded.rgb.size(), 33u * 20 * 3);
  for (size_t i = 0; i < decoded.rgb.size(); i += 3) {
    EXPECT_NEAR(decoded.rgb[i], static_cast<int>(i / 3 % 33), 2);
    EXPECT_EQ(decoded.rgb[i], decoded.rgb[i + 1]);
    EXPECT_EQ(decoded.rgb[i], decoded.rgb[i + 2]);
  }
}

TEST(Decode, SixteenBitGreyKeepsItsHighByte) {
  const Image decoded = decode_text(encode_png_rows(
      3, 1, "\x00\xFF\x80\x01\xFF\xFF"s, {.color_type = PNG_COLOR_TYPE_GRAY, .bit_depth = 16}));
  EXPECT_EQ(decoded.rgb, (std::vector<uint8_t>{0, 0, 0, 128, 128, 128, 255, 255, 255}));
}

TEST(Decode, FewBitsOfGreySpreadOverTheRange) {
  const Image two_bits = decode_text(
      encode_png_rows(4, 1, "\x1B"s, {.color_type = PNG_COLOR_TYPE_GRAY, .bit_depth = 2}));
  EXPECT_EQ(two_bits.rgb,
            (std::vector<uint8_t>{0, 0, 0, 85, 85, 85, 170, 170, 170, 255, 255, 255}));
}

TEST(Decode, InterlacedPngEqualsPlainOne) {
  const Image image = random_image(37, 23, 8);
  const Image decoded =
      decode_text(encode_png_rows(37, 23, raw_bytes(image), {.interlace = PNG_INTERLACE_ADAM7}));
  EXPECT_EQ(decoded.rgb, image.rgb);
}

TEST(Decode, AlphaIsDropped) {
  const Image decoded = decode_text(encode_png_rows(2, 1, "\x01\x02\x03\x00\x04\x05\x06\x80"s,
                                                    {.color_type = PNG_COLOR_TYPE_RGB_ALPHA}));
  EXPECT_EQ(decoded.rgb, (std::vector<uint8_t>{1, 2, 3, 4, 5, 6}));
}

// 16 x 8 with a white block at the stored upper left; where it is shown tells the orientation.
TEST(Decode, OrientationIsApplied) {
  Image image = make_image(32, 16);
  for (int y = 0; y < 8; ++y) {
    for (int x = 0; x < 16 * 3; ++x) image.rgb[y * 32 * 3 + x] = 255;
  }
  struct Corner {
    bool right, bottom;
  };
  constexpr Corner kCorners[] = {{false, false}, {true, false}, {true, true}, {false, true},
                                 {false, false}, {true, false}, {true, true}, {false, true}};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    for (const char order : {'M', 'I'}) {
      const Image shown =
          decode_text(encode_jpeg(image, {.app1 = exif_segment(orientation, order)}));
      const bool turned = orientation >= 5;
      ASSERT_EQ(shown.width, turned ? 16 : 32) << orientation;
      ASSERT_EQ(shown.height, turned ? 32 : 16) << orientation;
      const Corner corner = kCorners[orientation - 1];
      for (const bool bottom : {false, true}) {
        for (const bool right : {false, true}) {
          const int x = right ? shown.width - 2 : 1;
          const int y = bottom ? shown.height - 2 : 1;
          const bool white = shown.rgb[(y * shown.width + x) * 3] > 128;
          EXPECT_EQ(white, right == corner.right && bottom == corner.bottom)
              << orientation << order << right << bottom;
        }
      }
    }
  }
}

TEST(Decode, BrokenExifIsPassedOver) {
  const Image image = numbered_image(20, 10);
  const std::string whole = exif_segment(6, 'M');
  for (size_t size = 6; size + 3 < whole.size(); ++size) {
    EXPECT_EQ(decode_text(encode_jpeg(image, {.app1 = whole.substr(0, size)})).width, 20) << size;
  }
  EXPECT_EQ(decode_text(encode_jpeg(image, {.app1 = whole})).width, 10);
  EXPECT_EQ(decode_text(encode_jpeg(image, {.app1 = exif_segment(9, 'I')})).width, 20);
}

TEST(Decode, WhatIsNoPictureIsNamed) {
  expect_error("", "is empty (0 bytes)");
  expect_error("hello world", "is no JPEG, PNG or WebP image, whatever its name says");
  expect_error("hello world", "\"hello world\"");
  expect_error("\x01\x02"s, "\\x01\\x02");
  expect_error("GIF89a...", "is a GIF file; JPEG, PNG and WebP are read");
  expect_error("RIFF1234WEBPVP8 ", "truncated WebP");
  expect_error("\xFF\xD8", "is no JPEG, PNG or WebP");
}

TEST(Decode, KindComesFromTheBytesNotFromTheName) {
  EXPECT_EQ(decode_text(encode_png(numbered_image(5, 4)), "cat.jpg").width, 5);
  EXPECT_EQ(decode_text(encode_jpeg(numbered_image(5, 4)), "cat.png").width, 5);
}

TEST(Decode, EveryPrefixOfAFileIsAnError) {
  const Image image = random_image(24, 17, 5);
  for (const std::string& bytes :
       {encode_jpeg(image), encode_jpeg(image, {.progressive = true}),
        encode_jpeg(image, {.grey = true}), encode_png(image),
        encode_webp(image, WebpQuality::lossy), encode_webp(image, WebpQuality::lossless)}) {
    ASSERT_EQ(error_of(bytes), "");
    for (size_t size = 0; size < bytes.size(); ++size) {
      ASSERT_THAT(error_of(bytes.substr(0, size)), testing::StartsWith("folder/cat.jpg: "))
          << size << " of " << bytes.size();
    }
  }
}

TEST(Decode, TruncationSaysSo) {
  const std::string jpeg = encode_jpeg(random_image(64, 64, 5));
  expect_error(jpeg.substr(0, jpeg.size() / 2), "damaged or truncated JPEG: Premature end");
  const std::string png = encode_png(random_image(64, 64, 5));
  expect_error(png.substr(0, png.size() / 2), "damaged or truncated PNG: the file ends too early");
}

// Random damage must end in a picture or in one Error: no crash, no output, no other exception.
TEST(Decode, DamageNeverCrashes) {
  Rng rng(11);
  const Image image = numbered_image(48, 40);
  int errors = 0;
  for (const std::string& bytes :
       {encode_jpeg(image), encode_jpeg(image, {.progressive = true}),
        encode_jpeg(image, {.app1 = exif_segment(6, 'I')}), encode_png(image),
        encode_webp(image, WebpQuality::lossy), encode_webp(image, WebpQuality::lossless)}) {
    for (int round = 0; round < 400; ++round) {
      std::string damaged = bytes;
      const uint64_t changes = 1 + rng.below(8);
      for (uint64_t i = 0; i < changes; ++i) {
        damaged[rng.below(damaged.size())] = static_cast<char>(rng.below(256));
      }
      errors += !error_of(damaged).empty();
    }
  }
  EXPECT_GT(errors, 400);
}

TEST(Decode, AbsurdSizesAreRefusedBeforeAnyMemoryIsTaken) {
  expect_error(png_header(60000, 60000), "60000 x 60000 pixels are more than the limit");
  expect_error(png_header(0, 5), "damaged or truncated PNG");
  expect_error(png_header(0x7FFFFFFF, 1), "damaged or truncated PNG");
  std::string jpeg = encode_jpeg(numbered_image(16, 16));
  const size_t frame = marker_at(jpeg, 0xC0);
  ASSERT_NE(frame, jpeg.npos);
  jpeg.replace(frame + 5, 4, "\xEA\x60\xEA\x60"s);
  expect_error(jpeg, "60000 x 60000 pixels are more than the limit");
  jpeg.replace(frame + 5, 4, "\0\0\0\0"s);
  expect_error(jpeg, "damaged or truncated JPEG");
}

TEST(Decode, UnsupportedJpegsSayWhy) {
  std::string jpeg = encode_jpeg(numbered_image(16, 16));
  const size_t frame = marker_at(jpeg, 0xC0);
  std::string deep = jpeg;
  deep[frame + 4] = 12;
  expect_error(deep, "precision");
  std::string lossless = jpeg;
  lossless[frame + 1] = static_cast<char>(0xC3);
  expect_error(lossless, "Unsupported JPEG process");
}

TEST(Decode, FilesAreReadWhole) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "picture.jpg";
  write_file(path, encode_png(numbered_image(6, 2)));
  EXPECT_EQ(read_image(path).rgb, numbered_image(6, 2).rgb);
  write_file(path, "no picture");
  try {
    read_image(path);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr(path.string()));
  }
  EXPECT_THROW(read_image(folder.path() / "absent.jpg"), Error);
  EXPECT_THROW(read_image(folder.path()), Error);
}

}  // namespace

}  // namespace sightline
