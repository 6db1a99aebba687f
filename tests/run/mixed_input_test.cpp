// A whole small run on all kinds of input at once: conversations about several pictures cut between
// turns, pictures between words, words alone, changed pictures, stored features; and that a mixture
// of them comes out the same a second time.

#include "base/file.h"
#include "base/json.h"
#include "image/encode.h"
#include "tests/run/small_run.h"

#include <sstream>

#include <gmock/gmock.h>

namespace sightline {
namespace {

using testing::HasSubstr;

constexpr const char* kRecipe = R"(name = "mixed"
cache = "cache"
workers = 2
[model]
vision = { image_size = 32, patch_size = 8, hidden_size = 48, num_hidden_layers = 2, intermediate_size = 96 }
language = { hidden_size = 64, num_hidden_layers = 2, intermediate_size = 96, max_position_embeddings = 100 }
tokenizer = "tok"
resize = "pad"
[data.talks]
format = "llava"
annotations = "talks.json"
too_long = "split"
on_bad_sample = "skip"
augment = { crop = 0.5, flip = 0.5, colour = 0.2 }
[data.between]
format = "jsonl"
annotations = "between.jsonl"
[data.words]
format = "text"
annotations = "words.txt"
[[stage]]
name = "stored"
train = ["connector"]
mixture = [{ data = "words" }, { data = "between", weight = 8, repeats = 2.0, limit = 5 }]
epochs = 4
step_tokens = 300
micro_tokens = 300
[[stage]]
name = "seen"
train = ["connector", "vision", "language"]
mixture = [{ data = "talks" }, { data = "words" }, { data = "between" }]
epochs = 2
step_tokens = 300
micro_tokens = 300
)";

class SlowMixedInput : public test::ProgramRun {
 protected:
  void SetUp() override {
    SIGHTLINE_NEEDS(test::environment_path("SIGHTLINE_BINARY"));
    Json talks = Json::array();
    std::string between;
    for (int i = 0; i < 8; ++i) {
      Image image = make_image(20 + 5 * i, 30);
      for (size_t k = 0; k < image.rgb.size(); ++k) image.rgb[k] = static_cast<uint8_t>(k * i);
      const std::string name = std::to_string(i) + ".png";
      write(name, encode_png(image));
      Json turns = Json::array();
      for (int turn = 0; turn < 6; ++turn) {
        turns.push_back({{"from", "human"}, {"value", "<image>\nwhat is it"}});
        turns.push_back({{"from", "gpt"}, {"value", "a cat on the mat"}});
      }
      talks.push_back({{"image", std::vector<std::string>(6, name)}, {"conversations", turns}});
      between += Json{{"messages",
                       {{{"role", "user"},
                         {"content",
                          {{{"type", "text"}, {"text", "see"}},
                           {{"type", "image"}, {"image", name}},
                           {{"type", "text"}, {"text", "well"}}}}},
                        {{"role", "assistant"}, {"content", "a dog"}}}}}
                     .dump() +
                 "\n";
    }
    talks.push_back(
        {{"image", "gone.png"},
         {"conversations",
          {{{"from", "human"}, {"value", "<image>"}}, {{"from", "gpt"}, {"value", "nothing"}}}}});
    write("talks.json", talks.dump());
    write("between.jsonl", between);
    begin(kRecipe);
  }
};

TEST_F(SlowMixedInput, TrainsAndComesOutTheSame) {
  const auto first = run("train recipe.toml --output a");
  ASSERT_EQ(first.exit_code, 0) << first.output;
  EXPECT_THAT(read_file(path("a/skipped.txt")), HasSubstr("talks.json: [8]: gone.png"));
  EXPECT_THAT(first.output, HasSubstr("5 pictures computed"));
  EXPECT_THAT(read_file(path("a/model/vision/preprocessor_config.json")),
              HasSubstr("\"do_pad\": true"));
  ASSERT_EQ(run("train a/recipe.toml --output b --set workers=1").exit_code, 0);
  for (const char* part : {"vision", "language", "connector"}) {
    EXPECT_EQ(weights("a", part), weights("b", part));
  }
}

std::vector<double> losses_of(const std::filesystem::path& run) {
  std::vector<double> losses;
  std::istringstream lines(read_file(run / "run.jsonl"));
  for (std::string line; std::getline(lines, line);) {
    const Json step = Json::parse(line);
    if (step.contains("loss")) losses.push_back(step["loss"].get<double>());
  }
  return losses;
}

// The same steps with nothing on the disk, but for the features' rounding to 16 bits; and pictures
// may then be changed.
TEST_F(SlowMixedInput, FrozenLayersMayBeComputedInEveryStep) {
  const std::string only = " --set stage.seen.max_steps=1";
  ASSERT_EQ(run("train recipe.toml --output stored" + only).exit_code, 0);
  const auto computed =
      run("train recipe.toml --output computed --set stage.stored.store_features=false" + only);
  ASSERT_EQ(computed.exit_code, 0) << computed.output;
  EXPECT_EQ(computed.output.find("pictures computed"), std::string::npos);
  const std::vector<double> expected = losses_of(path("stored")),
                            found = losses_of(path("computed"));
  ASSERT_EQ(expected.size(), found.size());
  ASSERT_GE(expected.size(), 2u);
  for (size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i] / expected[i], 1, 0.01) << i;
  const auto changed =
      run("train recipe.toml --output changed --set stage.stored.store_features=false "
          "--set data.between.augment={flip=0.5}" +
          only);
  EXPECT_EQ(changed.exit_code, 0) << changed.output;
}

}  // namespace
}  // namespace sightline
