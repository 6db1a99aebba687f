// What a stage is refused for before training, and what ends it early.

#include "tests/run/small_run.h"

#include <gmock/gmock.h>

namespace sightline::test {
namespace {

using testing::HasSubstr;

class SlowStage : public SmallRun {
 protected:
  std::string refusal(const std::string& recipe) {
    write("recipe.toml", recipe);
    const CommandResult result = run("train recipe.toml --output refused");
    EXPECT_NE(result.exit_code, 0) << result.output;
    EXPECT_FALSE(std::filesystem::exists(path("refused/stages"))) << "a stage was trained";
    std::filesystem::remove_all(path("refused"));
    return result.output;
  }
};

// The last of the stages: what is wrong is found before the first begins.
TEST_F(SlowStage, WithNothingToLearnIsRefused) {
  const std::string last =
      "train = [\"connector\", \"language\"]\nmixture = [{ data = \"scenes\" }]";
  EXPECT_THAT(refusal(replaced(kSmallRecipe, last,
                               "train = [\"connector\", \"vision\"]\n"
                               "mixture = [{ data = \"words\" }]")),
              HasSubstr("[[stage]] \"three\" trains connector, vision, and its data show no "
                        "picture"));
  write("asked.jsonl", R"({"messages": [{"role": "user", "content": "what"}]})"
                       "\n");
  const std::string asked =
      "[data.asked]\nformat = \"jsonl\"\nannotations = \"asked.jsonl\"\n"
      "on_bad_sample = \"skip\"\n";
  EXPECT_THAT(
      refusal(replaced(replaced(kSmallRecipe, "[eval]", asked + "[eval]"), last,
                       "train = [\"language\"]\nmixture = [{ data = \"asked\" }]")),
      HasSubstr("[[stage]] \"three\" cannot learn from [data.asked]: none of its 1 samples"));
  ASSERT_EQ(run("train recipe.toml --output words --set 'stage.three.mixture=[{data=\"words\"}]' "
                "--set 'stage.three.train=[\"language\"]'")
                .exit_code,
            0);
}

// At a rate far too large the loss soon comes to nothing better.
TEST_F(SlowStage, EndsWhenPatienceIsSpent) {
  write("recipe.toml", replaced(kSmallRecipe, "validation = \"held\"",
                                "validation = \"held\"\nbest = \"validation_loss\"\nevery = 1\n"
                                "patience = 3"));
  const CommandResult result =
      run("train recipe.toml --output a --set stage.one.max_steps=1 --set stage.two.max_steps=1 "
          "--set stage.three.lr=0.5 --set stage.three.epochs=5");
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("stage \"three\" ends: 3 evaluations without a better "
                                       "validation_loss"));
  int64_t last = 0;
  double best = 1e9;
  std::vector<int64_t> better;
  for (const Json& line : log("a")) {
    if (line.contains("loss")) last = line["step"].get<int64_t>();
    if (!line.contains("evaluation") || line["step"].get<int64_t>() <= 2) continue;
    const double loss = line["evaluation"]["validation_loss"].get<double>();
    if (loss < best) better.push_back(line["step"].get<int64_t>());
    best = std::min(best, loss);
  }
  ASSERT_FALSE(better.empty());
  EXPECT_EQ(last, better.back() + 3);
}

TEST_F(SlowStage, LogsNormsByPart) {
  ASSERT_EQ(run("train recipe.toml --output a").exit_code, 0);
  for (const Json& line : log("a")) {
    if (!line.contains("loss")) continue;
    const bool vision = line["stage"] == "two", language = line["stage"] == "three";
    for (const char* key : {"gradient_norms", "update_norms"}) {
      EXPECT_GT(line[key]["connector"].get<double>(), 0);
      EXPECT_EQ(line[key].contains("vision"), vision);
      EXPECT_EQ(line[key].contains("language"), language);
    }
  }
}

// A stage's end holds the averages: evaluated, kept and trained on from there.
TEST_F(SlowStage, LeavesItsAveragedWeights) {
  const auto loss_after = [&](const std::string& words) {
    EXPECT_EQ(run("train recipe.toml --output a " + words).exit_code, 0);
    double loss = 0;
    for (const Json& line : log("a")) {
      if (line.value("stage", "") == "two") break;
      if (line.contains("evaluation")) loss = line["evaluation"]["validation_loss"].get<double>();
    }
    return loss;
  };
  const double plain = loss_after("");
  const std::string plain_weights = read_file(path("a/stages/one/weights.safetensors"));
  std::filesystem::remove_all(path("a"));
  const double averaged = loss_after("--set stage.one.ema=0.9");
  EXPECT_NE(plain, averaged);
  EXPECT_NE(plain_weights, read_file(path("a/stages/one/weights.safetensors")));
  // The evaluation is of what was kept.
  ASSERT_EQ(
      run("train recipe.toml --set stage.one.ema=0.9 --from-stage two --from-run a --output b")
          .exit_code,
      0);
  EXPECT_EQ(weights("a", "connector"), weights("b", "connector"));
}

}  // namespace
}  // namespace sightline::test
