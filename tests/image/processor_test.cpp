#include "image/processor.h"

#include "base/error.h"
#include "image/pad.h"
#include "tests/image/support.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {

namespace {

using namespace test;
using testing::AllOf;
using testing::HasSubstr;

Json clip_config() {
  return parse_json(R"({
    "image_processor_type": "CLIPImageProcessor", "do_convert_rgb": true,
    "do_resize": true, "size": {"shortest_edge": 224}, "resample": 3,
    "do_center_crop": true, "crop_size": {"height": 224, "width": 224},
    "do_rescale": true, "rescale_factor": 0.00392156862745098, "do_normalize": true,
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711]})",
                    "clip.json");
}

Json vit_config() {
  return parse_json(R"({"do_normalize": true, "do_resize": true, "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5], "resample": 2, "size": {"height": 224, "width": 224}})",
                    "vit.json");
}

std::string error_with(Json config, const char* key, const char* value) {
  config[key] = Json::parse(value);
  try {
    processor_from_json(config, "model/preprocessor_config.json");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Processor, ReadsHuggingFacesConfigs) {
  const Processor clip = processor_from_json(clip_config(), "clip.json");
  EXPECT_EQ(clip, (Processor{.fit = Processor::Fit::crop,
                             .size = 224,
                             .mean = {0.48145466f, 0.4578275f, 0.40821073f},
                             .std_dev = {0.26862954f, 0.26130258f, 0.27577711f},
                             .filter = Filter::bicubic}));
  EXPECT_EQ(processor_from_json(vit_config(), "vit.json"),
            (Processor{.fit = Processor::Fit::squash, .size = 224, .filter = Filter::bilinear}));
  Json old = vit_config();
  old["size"] = 384;
  EXPECT_EQ(processor_from_json(old, "vit.json").size, 384);
  old["do_normalize"] = false;
  EXPECT_EQ(processor_from_json(old, "vit.json").std_dev, (std::array<float, 3>{1, 1, 1}));
}

TEST(Processor, WritesWhatItReads) {
  for (const auto fit : {Processor::Fit::squash, Processor::Fit::crop, Processor::Fit::pad}) {
    for (const auto filter : {Filter::bicubic, Filter::bilinear}) {
      const Processor processor{fit, 96, {0.1f, 0, 0.48145466f}, {1, 0.26862954f, 1e-5f}, filter};
      const Json config = to_json(processor);
      EXPECT_EQ(processor_from_json(config, "written"), processor) << config.dump();
      EXPECT_EQ(processor_from_json(parse_json(config.dump(), "text"), "text"), processor);
    }
  }
}

TEST(Processor, RefusesWhatItCannotFollow) {
  const auto names = [](const char* key) {
    return AllOf(testing::StartsWith("model/preprocessor_config.json: "), HasSubstr(key));
  };
  const Json clip = clip_config();
  EXPECT_THAT(error_with(clip, "do_resize", "false"), names("do_resize"));
  EXPECT_THAT(error_with(clip, "do_resize", "\"yes\""), names("do_resize"));
  EXPECT_THAT(error_with(clip, "size", "null"), names("size"));
  EXPECT_THAT(error_with(clip, "size", "0"), names("size"));
  EXPECT_THAT(error_with(clip, "size", R"({"height": 224, "width": 100})"), names("size"));
  EXPECT_THAT(error_with(clip, "size", R"({"longest_edge": 224})"), names("size"));
  EXPECT_THAT(error_with(clip, "size", R"({"shortest_edge": 224, "longest_edge": 300})"),
              names("size"));
  EXPECT_THAT(error_with(clip, "size", R"({"shortest_edge": 256})"), names("crop_size"));
  EXPECT_THAT(error_with(clip, "crop_size", "null"), names("crop_size"));
  EXPECT_THAT(error_with(clip, "do_center_crop", "false"), names("do_center_crop"));
  EXPECT_THAT(error_with(clip, "resample", "1"), names("resample"));
  EXPECT_THAT(error_with(clip, "resample", "null"), names("resample"));
  EXPECT_THAT(error_with(clip, "do_rescale", "false"), names("do_rescale"));
  EXPECT_THAT(error_with(clip, "rescale_factor", "0.0078125"), names("rescale_factor"));
  EXPECT_THAT(error_with(clip, "image_mean", "[0.5, 0.5]"), names("image_mean"));
  EXPECT_THAT(error_with(clip, "image_mean", "null"), names("image_mean"));
  EXPECT_THAT(error_with(clip, "image_std", "[0.5, 0.5, \"1\"]"), names("image_std"));
  EXPECT_THAT(error_with(clip, "image_std", "[0.5, 0.5, 0]"), names("image_std"));
  EXPECT_THAT(error_with(clip, "do_pad", "true"), names("do_pad"));
  EXPECT_THAT(error_with(clip, "crop_pct", "0.9"), names("crop_pct"));
  EXPECT_EQ(error_with(clip, "do_pad", "false"), "");
  Json llava = clip;
  llava["image_processor_type"] = "LlavaImageProcessor";
  EXPECT_EQ(error_with(llava, "do_pad", "true"), "");
  llava["crop_size"] = 200;
  EXPECT_THAT(error_with(llava, "do_pad", "true"), names("crop_size"));
  EXPECT_THROW(processor_from_json(Json::array(), "x"), Error);
}

TEST(Processor, CropsTheCentreOfTheShorterSide) {
  // 9 x 4 at size 4 stays as it is; the square starts at floor((9 - 4) / 2) = 2.
  const Image image = numbered_image(9, 4);
  const Image wide = apply({.fit = Processor::Fit::crop, .size = 4}, image);
  ASSERT_EQ(wide.width, 4);
  ASSERT_EQ(wide.height, 4);
  EXPECT_EQ(wide.rgb[0], 2);
  EXPECT_EQ(wide.rgb[1], 0);
  EXPECT_EQ(wide.rgb[(3 * 4 + 3) * 3], 5);
  EXPECT_EQ(wide.rgb[(3 * 4 + 3) * 3 + 1], 3);
  const Image tall = apply({.fit = Processor::Fit::crop, .size = 4}, numbered_image(4, 9));
  EXPECT_EQ(tall.rgb[0], 0);
  EXPECT_EQ(tall.rgb[1], 2);
}

// The bands of pad_and_resize() against the square as LLaVA makes it.
TEST(Processor, PadsByTheMeanColour) {
  const Processor processor{.fit = Processor::Fit::pad, .size = 4, .mean = {0.5f, 0.25f, 1}};
  const Image tall = apply(processor, numbered_image(2, 4));
  EXPECT_EQ(std::vector<uint8_t>(tall.rgb.begin(), tall.rgb.begin() + 12),
            (std::vector<uint8_t>{127, 63, 255, 0, 0, 0, 1, 0, 1, 127, 63, 255}));
  for (const auto filter : {Filter::bicubic, Filter::bilinear}) {
    for (const auto& [width, height] :
         {std::pair{1, 1}, {7, 2}, {2, 7}, {40, 31}, {3000, 2}, {2, 3000}, {1500, 1100}}) {
      const Image image = random_image(width, height, width);
      for (const int size : {1, 5, 33, 224}) {
        const Colour colour = {13, 200, 77};
        const Image square = resize(pad_to_square(image, colour), size, size, filter);
        ASSERT_TRUE(pad_and_resize(image, colour, size, filter).rgb == square.rgb)
            << width << " x " << height << " to " << size;
      }
    }
  }
}

// Resizing the whole of it would take 100 GB.
TEST(Processor, ALineOfPixelsIsCroppedCheaply) {
  const Image line = random_image(1'000'000, 1, 2);
  EXPECT_EQ(apply({.fit = Processor::Fit::crop, .size = 224}, line).rgb.size(), 224u * 224 * 3);
  EXPECT_EQ(apply({.size = 224}, line).rgb.size(), 224u * 224 * 3);
}

TEST(Processor, NormalisesToPlanes) {
  const Processor processor{.mean = {0.5f, 0, 0.25f}, .std_dev = {0.5f, 1, 2}};
  const Image image{2, 1, {0, 51, 255, 255, 0, 102}};
  std::array<float, 6> values{};
  normalise(processor, image, values);
  EXPECT_THAT(values, testing::ElementsAre(-1.0f, 1.0f, 0.2f, 0.0f, 0.375f,
                                           testing::FloatEq((0.4f - 0.25f) / 2)));
}

TEST(Processor, DescriptionsDifferWhereProcessorsDo) {
  const Processor base;
  EXPECT_EQ(describe(base), "squash 224 bicubic mean 0.5,0.5,0.5 std 0.5,0.5,0.5");
  Processor other = base;
  other.mean[1] = std::nextafter(0.5f, 1.0f);
  EXPECT_NE(describe(other), describe(base));
  other = base;
  other.filter = Filter::bilinear;
  EXPECT_NE(describe(other), describe(base));
  other = base;
  other.fit = Processor::Fit::crop;
  EXPECT_NE(describe(other), describe(base));
}

}  // namespace

}  // namespace sightline
