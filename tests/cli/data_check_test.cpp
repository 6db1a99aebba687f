// `sightline data check` on small recipes: what it finds, and how it ends.

#include "base/json.h"
#include "image/encode.h"
#include "tests/support.h"

#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline::test {
namespace {

using testing::HasSubstr;

class SlowDataCheck : public testing::Test {
 protected:
  void SetUp() override {
    if (binary_.empty() || !std::filesystem::exists(binary_)) {
      GTEST_SKIP() << "needs SIGHTLINE_BINARY, the built program";
    }
    write("text.txt", "a cat and a dog on the mat\n");
    ASSERT_EQ(run("tokenizer train --text text.txt --vocab 260 --output tok").exit_code, 0);
    for (int i = 0; i < 4; ++i) {
      Image image = make_image(8, 6);
      for (uint8_t& byte : image.rgb) byte = static_cast<uint8_t>(50 * i);
      write(std::to_string(i) + ".png", encode_png(image));
      copies_[i] = encode_png(image);
    }
    write("train.jsonl", line("0.png") + line("1.png") + line("2.png"));
    write("dev.jsonl", line("3.png"));
    write("recipe.toml", kRecipe);
  }

  static std::string line(const std::string& image) {
    return "{\"image\": \"" + image + "\", \"caption\": \"a cat\"}\n";
  }

  CommandResult run(const std::string& arguments) const {
    return run_command("cd " + folder_.path().string() + " && " + binary_.string() + " " +
                       arguments);
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_.path() / name, std::ios::binary) << text;
  }

  static constexpr const char* kRecipe = R"(name = "small"
[model]
vision = { image_size = 32, patch_size = 8 }
language = { hidden_size = 64, max_position_embeddings = 64 }
tokenizer = "tok"
[data.train]
format = "jsonl"
annotations = "train.jsonl"
[data.dev]
format = "jsonl"
annotations = "dev.jsonl"
[task.dev]
kind = "caption"
data = "dev"
[eval]
task = "dev"
[[stage]]
name = "all"
train = ["connector"]
mixture = [{ data = "train" }]
)";

  const std::filesystem::path binary_ = environment_path("SIGHTLINE_BINARY");
  const TemporaryFolder folder_;
  std::string copies_[4];
};

TEST_F(SlowDataCheck, SoundDataEndsWithZero) {
  const CommandResult result = run("data check recipe.toml");
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("conversations by rows"));
  const CommandResult as_json = run("data check recipe.toml --json");
  const Json json = parse_json(as_json.output.substr(as_json.output.find('{')), "data check");
  EXPECT_EQ(json["data"][1]["data"], "train");
  EXPECT_EQ(json["data"][1]["samples"], 3);
  EXPECT_EQ(json["data"][1]["pictures"], 3);
  EXPECT_GE(json["data"][1]["longest"], 16);  // a picture's rows alone
  EXPECT_TRUE(json["shared"].empty());
}

TEST_F(SlowDataCheck, ABadSampleIsListed) {
  write("train.jsonl", line("0.png") + line("9.png") + "{\"image\": 3}\n");
  write("1.png", "torn");
  const CommandResult result = run("data check recipe.toml --set data.train.on_bad_sample=skip");
  EXPECT_EQ(result.exit_code, 1) << result.output;
  EXPECT_THAT(result.output, HasSubstr("train: 2 bad samples\n  train.jsonl:2: "));
  EXPECT_THAT(result.output, HasSubstr("  train.jsonl:3: \"image\" is 3"));
  EXPECT_THAT(result.output, HasSubstr("sightline: recipe.toml: 2 bad samples and 0 leaks"));
}

TEST_F(SlowDataCheck, ALeakIsNamed) {
  write("copy.png", copies_[2]);
  write("dev.jsonl", line("3.png") + line("copy.png"));
  const CommandResult result = run("data check recipe.toml");
  EXPECT_EQ(result.exit_code, 1) << result.output;
  EXPECT_THAT(result.output,
              HasSubstr("leak: 1 pictures stand in dev and in train\n  copy.png = 2.png"));
  const CommandResult trained = run("data check recipe.toml --set task.dev.data=train");
  EXPECT_EQ(trained.exit_code, 1);
  EXPECT_THAT(trained.output, HasSubstr("leak: train is trained on and judged by"));
}

}  // namespace
}  // namespace sightline::test
