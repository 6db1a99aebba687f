// Pillow's and transformers' pixels against ours, through tools/oracle_image.py.

#include "base/file.h"
#include "base/json.h"
#include "image/augment.h"
#include "image/processor.h"
#include "tests/image/support.h"
#include "tests/support.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include <gtest/gtest.h>

namespace sightline {

namespace {

using namespace test;
namespace fs = std::filesystem;

class OracleImage : public testing::Test {
 protected:
  void SetUp() override { skip_unless_there(oracle_python()); }

  static void skip_unless_there(const fs::path& path) {
    if (!fs::exists(path)) GTEST_SKIP() << "needs " << path.string();
  }

  Json ask(const Json& jobs) {
    const fs::path path = folder_.path() / "jobs.json";
    write_file(path, jobs.dump());
    const CommandResult result = run_oracle("image", path.string());
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return parse_json(result.output.substr(result.output.rfind("[{")), "the oracle");
  }

  std::string fresh_path() { return (folder_.path() / std::to_string(next_file_++)).string(); }

  Json raw_job(const char* op, const Image& image) {
    const std::string path = fresh_path();
    write_file(path, raw_bytes(image));
    return {{"op", op},
            {"raw", path},
            {"width", image.width},
            {"height", image.height},
            {"out", fresh_path()}};
  }

  Image read_raw(const Json& job, const Json& answer) {
    const std::string bytes = read_file(job["out"].get<std::string>());
    return {answer["width"], answer["height"], {bytes.begin(), bytes.end()}};
  }

  // Decodes files with both; the largest allowed difference is one level.
  void compare_decoders(const std::vector<std::string>& files, const char* what) {
    Json jobs = Json::array();
    for (const auto& file : files) {
      jobs.push_back({{"op", "decode"}, {"file", file}, {"out", fresh_path()}});
    }
    const Json answers = ask(jobs);
    size_t bytes = 0, different = 0, different_files = 0;
    for (size_t i = 0; i < files.size(); ++i) {
      const Image theirs = read_raw(jobs[i], answers[i]);
      const Image ours = read_image(files[i]);
      ASSERT_EQ(ours.width, theirs.width) << files[i];
      ASSERT_EQ(ours.height, theirs.height) << files[i];
      const ByteDifference difference = compare_bytes(raw_bytes(ours), raw_bytes(theirs));
      EXPECT_LE(difference.largest, 1) << files[i];
      bytes += ours.rgb.size();
      different += difference.count;
      different_files += difference.count > 0;
      if (difference.count > 0) std::printf("  differs by one: %s\n", files[i].c_str());
    }
    std::printf("%s: %zu of %zu files and %zu of %zu bytes differ, by one level\n", what,
                different_files, files.size(), different, bytes);
  }

  // Queues the resizing of `image`; check_resized() asks for all and compares bytes.
  void queue(const Image& image, int width, int height, Filter filter) {
    Json job = raw_job("resize", image);
    job["to"] = {width, height};
    job["filter"] = filter_name(filter);
    jobs_.push_back(job);
    resized_.push_back(resize(image, width, height, filter));
  }

  void check_resized() {
    const Json answers = ask(jobs_);
    for (size_t i = 0; i < resized_.size(); ++i) {
      const Image theirs = read_raw(jobs_[i], answers[i]);
      ASSERT_EQ(resized_[i].width, theirs.width);
      ASSERT_EQ(resized_[i].height, theirs.height);
      ASSERT_TRUE(resized_[i].rgb == theirs.rgb)
          << jobs_[i].dump() << ": "
          << compare_bytes(raw_bytes(resized_[i]), raw_bytes(theirs)).count << " bytes differ";
    }
    std::printf("%zu resized images equal Pillow's bytes\n", resized_.size());
  }

  TemporaryFolder folder_;
  int next_file_ = 0;
  Json jobs_ = Json::array();
  std::vector<Image> resized_;
};

std::vector<std::string> files_in(const fs::path& folder, size_t limit) {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  if (files.size() > limit) files.resize(limit);
  return files;
}

TEST_F(OracleImage, EveryKindOfFileDecodes) {
  const Json answer = ask({{{"op", "samples"}, {"folder", folder_.path().string()}}})[0];
  compare_decoders(answer["files"].get<std::vector<std::string>>(), "generated files");
}

// 500 pictures of every format and kind that Pillow writes, from 1 x 1 to lines of 10,000 pixels.
TEST_F(OracleImage, RandomPicturesDecodeAndResize) {
  const Json answer = ask(
      {{{"op", "random"}, {"folder", folder_.path().string()}, {"count", 500}, {"seed", 2026}}})[0];
  const auto files = answer["files"].get<std::vector<std::string>>();
  ASSERT_EQ(files.size(), 500u);
  compare_decoders(files, "random pictures");
  Rng rng(3);
  for (const auto& file : files) {
    const Image image = read_image(file);
    queue(image, 1 + static_cast<int>(rng.below(80)), 1 + static_cast<int>(rng.below(80)),
          Filter::bicubic);
    queue(image, 1 + static_cast<int>(rng.below(80)), 1 + static_cast<int>(rng.below(80)),
          Filter::bilinear);
  }
  check_resized();
}

TEST_F(OracleImage, LightAndColourEqualPillows) {
  Rng rng(5);
  Json jobs = Json::array();
  std::vector<Image> ours;
  for (int i = 0; i < 40; ++i) {
    const Image image = random_image(1 + static_cast<int>(rng.below(50)), 30, i);
    Augmentation change = draw_augmentation({.colour = 0.9}, image.width, image.height, rng);
    if (i == 0) change.brightness = 0.5;
    Json job = raw_job("enhance", image);
    job["brightness"] = change.brightness;
    job["contrast"] = change.contrast;
    job["saturation"] = change.saturation;
    jobs.push_back(job);
    ours.push_back(augment(image, change));
  }
  const Json answers = ask(jobs);
  for (size_t i = 0; i < ours.size(); ++i) {
    EXPECT_TRUE(read_raw(jobs[i], answers[i]).rgb == ours[i].rgb) << jobs[i].dump();
  }
}

TEST_F(OracleImage, PhotographsDecodeAndResize) {
  skip_unless_there(data_folder() / "coco_mini");
  if (IsSkipped()) return;
  std::vector<std::string> files;
  for (const auto& [folder, limit] : {std::pair{"coco_mini/val2017", 60},
                                      {"vqa_rad/images", 30},
                                      {"daquar/images", 15},
                                      {"flickr8k/images", 15}}) {
    for (const auto& file : files_in(data_folder() / folder, limit)) files.push_back(file);
  }
  compare_decoders(files, "photographs");
  Rng rng(7);
  for (const auto& file : files) {
    const Image image = read_image(file);
    queue(image, 224, 224, Filter::bicubic);
    queue(image, 384, 384, Filter::bilinear);
    queue(image, 1 + static_cast<int>(rng.below(700)), 1 + static_cast<int>(rng.below(700)),
          Filter::bicubic);
  }
  check_resized();
}

TEST_F(OracleImage, AllSmallSizesResize) {
  constexpr int kSides[] = {1, 2, 3, 5, 16, 17};
  for (const int width : kSides) {
    for (const int height : kSides) {
      const Image image = random_image(width, height, width * 100 + height);
      for (const int to_width : {1, 2, 4, 17, 30}) {
        for (const int to_height : {1, 3, 16, 45}) {
          queue(image, to_width, to_height, Filter::bicubic);
        }
      }
      queue(image, height, width, Filter::bilinear);
    }
  }
  check_resized();
}

TEST_F(OracleImage, OddSizesResize) {
  for (const auto& [width, height] : {std::pair{2000, 3},
                                      {3, 2000},
                                      {1, 777},
                                      {1023, 1},
                                      {640, 427},
                                      {1999, 1333},
                                      {224, 500},
                                      {500, 224}}) {
    Image image = random_image(width, height, width);
    // Black and white alone, so that the cubic's overshoot is clipped at both ends.
    Image sharp = image;
    for (uint8_t& byte : sharp.rgb) byte = byte < 128 ? 0 : 255;
    for (const auto& [to_width, to_height] : {std::pair{224, 224},
                                              {1, 1},
                                              {7, 1000},
                                              {1000, 7},
                                              {3, 2000},
                                              {width, 99},
                                              {99, height}}) {
      queue(image, to_width, to_height, Filter::bicubic);
      queue(sharp, to_width, to_height, Filter::bicubic);
      queue(sharp, to_width, to_height, Filter::bilinear);
    }
  }
  Rng rng(2026);
  for (int i = 0; i < 200; ++i) {
    const auto side = [&] { return 1 + static_cast<int>(rng.below(i < 150 ? 120 : 900)); };
    const Image image = random_image(side(), side(), i);
    queue(image, side(), side(), i % 4 == 0 ? Filter::bilinear : Filter::bicubic);
  }
  check_resized();
}

// transformers' own image processors, of the kind that resizes by Pillow.
TEST_F(OracleImage, ProcessorsEqualTransformers) {
  struct Case {
    const char* processor;
    Processor ours;
  };
  const Case cases[] = {
      {"ViTImageProcessorPil", {.size = 224, .filter = Filter::bilinear}},
      {"ViTImageProcessorPil", {.size = 33, .filter = Filter::bicubic}},
      {"CLIPImageProcessorPil",
       {Processor::Fit::crop,
        224,
        {0.48145466f, 0.4578275f, 0.40821073f},
        {0.26862954f, 0.26130258f, 0.27577711f}}},
      {"CLIPImageProcessorPil", {.fit = Processor::Fit::crop, .size = 31}},
      {"SiglipImageProcessorPil", {.size = 384}},
      {"LlavaImageProcessorPil", {.fit = Processor::Fit::pad, .size = 224}},
      {"LlavaImageProcessorPil",
       {Processor::Fit::pad,
        31,
        {0.48145466f, 0.4578275f, 0.40821073f},
        {0.26862954f, 0.26130258f, 0.27577711f}}},
  };
  Json jobs = Json::array();
  std::vector<std::vector<float>> ours;
  for (const auto& [name, processor] : cases) {
    for (const auto& [width, height] : {std::pair{640, 480},
                                        {427, 640},
                                        {224, 224},
                                        {31, 100},
                                        {225, 224},
                                        {300, 301},
                                        {97, 1000},
                                        {20, 13}}) {
      const Image image = random_image(width, height, width + height);
      Json job = raw_job("process", image);
      job["processor"] = name;
      job["config"] = to_json(processor);
      if (processor.fit == Processor::Fit::squash) job["config"].erase("do_center_crop");
      jobs.push_back(job);
      const Image square = apply(processor, image);
      ours.emplace_back(square.rgb.size());
      normalise(processor, square, ours.back());
    }
  }
  ask(jobs);
  for (size_t i = 0; i < ours.size(); ++i) {
    const std::string bytes = read_file(jobs[i]["out"].get<std::string>());
    ASSERT_EQ(bytes.size(), ours[i].size() * sizeof(float)) << jobs[i].dump();
    std::vector<float> theirs(ours[i].size());
    std::memcpy(theirs.data(), bytes.data(), bytes.size());
    float largest = 0;
    for (size_t k = 0; k < theirs.size(); ++k) {
      largest = std::max(largest, std::abs(theirs[k] - ours[i][k]));
    }
    // One level is at least 1 / 255: this leaves room for roundings of floats alone.
    EXPECT_LE(largest, 2e-6f) << jobs[i].dump();
  }
}

}  // namespace

}  // namespace sightline
