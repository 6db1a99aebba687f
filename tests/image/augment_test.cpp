#include "image/augment.h"

#include "tests/image/support.h"

#include <cmath>

#include <gtest/gtest.h>

namespace sightline {
namespace {

using namespace test;

TEST(Augment, NothingAskedForIsNothingDone) {
  Rng rng(1);
  const Image image = random_image(13, 7, 2);
  EXPECT_TRUE(augment(image, draw_augmentation({}, 13, 7, rng)).rgb == image.rgb);
}

TEST(Augment, MirrorsAndCuts) {
  const Image image = numbered_image(5, 3);
  Augmentation whole{.width = 5, .height = 3, .mirrored = true};
  const Image mirrored = augment(image, whole);
  EXPECT_EQ(mirrored.rgb[0], 4);
  EXPECT_TRUE(augment(mirrored, whole).rgb == image.rgb);
  const Image part = augment(image, {.left = 1, .top = 2, .width = 3, .height = 1});
  ASSERT_EQ(part.width, 3);
  EXPECT_EQ(part.rgb[0], 1);
  EXPECT_EQ(part.rgb[1], 2);
  EXPECT_EQ(augment(image, {.left = 1, .width = 3, .height = 1, .mirrored = true}).rgb[0], 3);
}

TEST(Augment, DrawsWithinItsBounds) {
  const AugmentOptions options{.crop = 0.3, .flip = 0.25, .colour = 0.4};
  Rng rng(9);
  int mirrored = 0;
  double least = 1, most = 0, sum = 0;
  constexpr int kDraws = 4000;
  for (int i = 0; i < kDraws; ++i) {
    const Augmentation drawn = draw_augmentation(options, 400, 300, rng);
    ASSERT_GE(drawn.left, 0);
    ASSERT_GE(drawn.top, 0);
    ASSERT_LE(drawn.left + drawn.width, 400);
    ASSERT_LE(drawn.top + drawn.height, 300);
    const double area = drawn.width * drawn.height / 120000.0;
    least = std::min(least, area);
    most = std::max(most, area);
    sum += area;
    const double shape = std::log(drawn.width / 400.0 / (drawn.height / 300.0));
    ASSERT_LE(std::abs(shape), std::log(4.0 / 3) + 0.02);
    for (const double factor : {drawn.brightness, drawn.contrast, drawn.saturation}) {
      ASSERT_GE(factor, 0.6);
      ASSERT_LE(factor, 1.4);
    }
    mirrored += drawn.mirrored;
  }
  EXPECT_NEAR(least, 0.3, 0.01);
  EXPECT_NEAR(most, 1.0, 0.01);
  EXPECT_NEAR(sum / kDraws, 0.65, 0.02);
  EXPECT_NEAR(mirrored / double{kDraws}, 0.25, 0.03);
}

TEST(Augment, ASinglePixelStaysOne) {
  Rng rng(3);
  for (int i = 0; i < 50; ++i) {
    const Augmentation drawn = draw_augmentation({.crop = 0.01, .flip = 0.5}, 1, 1, rng);
    EXPECT_EQ(augment(random_image(1, 1, 4), drawn).rgb, random_image(1, 1, 4).rgb);
  }
}

TEST(Augment, LightAndColourMoveAsNamed) {
  Image image = make_image(2, 1);
  image.rgb = {100, 100, 100, 200, 50, 0};
  EXPECT_EQ(augment(image, {.width = 2, .height = 1, .brightness = 0.5}).rgb,
            (std::vector<uint8_t>{50, 50, 50, 100, 25, 0}));
  EXPECT_EQ(augment(image, {.width = 2, .height = 1, .brightness = 3}).rgb,
            (std::vector<uint8_t>{255, 255, 255, 255, 150, 0}));
  EXPECT_EQ(augment(image, {.width = 2, .height = 1, .contrast = 0}).rgb,
            (std::vector<uint8_t>(6, 95)));  // greys 100 and 89
  EXPECT_EQ(augment(image, {.width = 2, .height = 1, .saturation = 0}).rgb,
            (std::vector<uint8_t>{100, 100, 100, 89, 89, 89}));
}

}  // namespace
}  // namespace sightline
