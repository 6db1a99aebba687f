// The built program's `inspect` on a small recipe.

#include "base/file.h"
#include "base/json.h"
#include "tests/data/support.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline::test {
namespace {

using testing::HasSubstr;

constexpr const char* kRecipe = R"(name = "small"
[model]
vision = { image_size = 32, patch_size = 8, num_hidden_layers = 2 }
language = { hidden_size = 64, num_hidden_layers = 1 }
connector = { kind = "shuffle", factor = 2 }
tokenizer = "tok"
[data.train]
format = "jsonl"
annotations = "rows.jsonl"
[[stage]]
name = "align"
train = ["connector"]
mixture = [{ data = "train" }]
)";

class SlowInspect : public testing::Test {
 protected:
  void SetUp() override {
    if (binary_.empty() || !std::filesystem::exists(binary_)) {
      GTEST_SKIP() << "needs SIGHTLINE_BINARY, the built program";
    }
    write("text.txt", "a cat and a dog on the mat\n");
    ASSERT_EQ(run("tokenizer train --text text.txt --vocab 260 --output tok").exit_code, 0);
    write("a.png", png_of(1));
    write("b.png", png_of(2));
    write("rows.jsonl", R"({"image": "a.png", "captions": ["a cat", "a dog on the mat"]})"
                        "\n"
                        R"({"image": "b.png", "question": "what", "answer": "a mat"})"
                        "\n");
    write("recipe.toml", kRecipe);
  }
  void write(const std::string& name, const std::string& text) const {
    write_text(folder_.path() / name, text);
  }
  CommandResult run(const std::string& arguments) const {
    return run_command("cd " + folder_.path().string() + " && " + binary_.string() + " " +
                       arguments);
  }

  const std::filesystem::path binary_ = environment_path("SIGHTLINE_BINARY");
  const TemporaryFolder folder_;
};

TEST_F(SlowInspect, ARecipeThatCanBeTrainedFrom) {
  const CommandResult text = run("inspect recipe recipe.toml --set seed=7");
  ASSERT_EQ(text.exit_code, 0) << text.output;
  EXPECT_THAT(text.output, HasSubstr("4 rows a picture"));
  write("resolved.toml", text.output);
  EXPECT_EQ(run("inspect recipe resolved.toml").output, text.output);
}

TEST_F(SlowInspect, Data) {
  const CommandResult text = run("inspect data recipe.toml train --show 1");
  ASSERT_EQ(text.exit_code, 0) << text.output;
  EXPECT_THAT(text.output, HasSubstr("train: 2 samples, 0 bad; 2 pictures, 3 conversations"));
  EXPECT_THAT(text.output, HasSubstr("12 x 8 pixels, 4 rows"));
  const Json json = parse_json(run("inspect data recipe.toml train --json").output, "stdout");
  EXPECT_EQ(json["shown"].size(), 2u);
  EXPECT_EQ(json["shown"][0]["conversations"].size(), 2u);
  const CommandResult unknown = run("inspect data recipe.toml trian");
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.output, HasSubstr("train"));
}

TEST_F(SlowInspect, Plan) {
  const CommandResult text = run("inspect plan recipe.toml align");
  ASSERT_EQ(text.exit_code, 0) << text.output;
  EXPECT_THAT(text.output, HasSubstr("2 samples, 2 images"));
  EXPECT_THAT(text.output, HasSubstr("branch 2, learnt"));
  EXPECT_EQ(run("inspect plan recipe.toml align --svg plan.svg").exit_code, 0);
  EXPECT_THAT(read_file(folder_.path() / "plan.svg"), HasSubstr("<svg"));
}

TEST_F(SlowInspect, PlanOfAStageWithoutWordsIsRefused) {
  write("vision.toml", R"(name = "vision"
[model]
vision = { image_size = 32, patch_size = 8, num_hidden_layers = 2 }
[data.train]
format = "jsonl"
annotations = "rows.jsonl"
[[stage]]
name = "see"
objective = "reconstruct"
train = ["vision"]
mixture = [{ data = "train" }]
)");
  EXPECT_EQ(run("inspect recipe vision.toml").exit_code, 0);
  const CommandResult plan = run("inspect plan vision.toml see");
  EXPECT_EQ(plan.exit_code, 2);
  EXPECT_THAT(plan.output, HasSubstr("learns from pictures alone"));
  EXPECT_EQ(run("inspect data vision.toml train").exit_code, 2);
}

}  // namespace
}  // namespace sightline::test
