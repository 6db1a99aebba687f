#include "image/resize.h"

#include "tests/image/support.h"

#include <gtest/gtest.h>

namespace sightline {

namespace {

using namespace test;

Image flat_image(int width, int height, uint8_t red, uint8_t green, uint8_t blue) {
  Image image = make_image(width, height);
  for (size_t i = 0; i < image.rgb.size(); i += 3) {
    image.rgb[i] = red;
    image.rgb[i + 1] = green;
    image.rgb[i + 2] = blue;
  }
  return image;
}

TEST(Resize, OwnSizeGivesTheSamePixels) {
  const Image image = random_image(13, 9, 1);
  EXPECT_EQ(resize_bicubic(image, 13, 9).rgb, image.rgb);
  EXPECT_EQ(resize_bilinear(image, 13, 9).rgb, image.rgb);
}

TEST(Resize, AFlatColourStaysFlat) {
  const Image image = flat_image(50, 31, 255, 7, 0);
  for (const auto& [width, height] : {std::pair{1, 1}, {7, 80}, {224, 224}, {50, 2}}) {
    for (const Filter filter : {Filter::bicubic, Filter::bilinear}) {
      const Image resized = resize(image, width, height, filter);
      EXPECT_EQ(resized.width, width);
      EXPECT_EQ(resized.height, height);
      EXPECT_EQ(resized.rgb, flat_image(width, height, 255, 7, 0).rgb);
    }
  }
}

// Two pixels 0 and 255 to four: the triangle at 1/4, 3/4, 5/4 and 7/4 pixels gives 0, 1/4, 3/4, 1.
TEST(Resize, BilinearByHand) {
  const Image image{2, 1, {0, 0, 0, 255, 255, 255}};
  EXPECT_EQ(resize_bilinear(image, 4, 1).rgb,
            (std::vector<uint8_t>{0, 0, 0, 64, 64, 64, 191, 191, 191, 255, 255, 255}));
}

// The cubic at distances 1/4 and 3/4 is 111/128 and 29/128; at 5/4 it is -9/128. Of two pixels:
// first target 111 : -9, second 111 : 29 (both of one pixel 0 and one 255), each normalised.
TEST(Resize, BicubicByHandWithClipping) {
  const Image image{2, 1, {0, 0, 0, 255, 255, 255}};
  const auto inner = static_cast<uint8_t>(255.0 * 29 / 140 + 0.5);
  const auto outer = static_cast<uint8_t>(255 - inner);
  EXPECT_EQ(
      resize_bicubic(image, 4, 1).rgb,
      (std::vector<uint8_t>{0, 0, 0, inner, inner, inner, outer, outer, outer, 255, 255, 255}));
}

TEST(Resize, APartEqualsTheWholeCut) {
  const Image image = random_image(61, 45, 4);
  const Image whole = resize_bicubic(image, 40, 77);
  const Image part = resize_part(image, {40, 11, 20}, {77, 30, 35}, Filter::bicubic);
  ASSERT_EQ(part.width, 20);
  ASSERT_EQ(part.height, 35);
  for (int y = 0; y < 35; ++y) {
    for (int i = 0; i < 20 * 3; ++i) {
      ASSERT_EQ(part.rgb[y * 20 * 3 + i], whole.rgb[((y + 30) * 40 + 11) * 3 + i]) << y << " " << i;
    }
  }
}

}  // namespace

}  // namespace sightline
