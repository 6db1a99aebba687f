// --from-stage: a stage run again, changed or put in, from what an earlier run left before it.

#include "tests/run/small_run.h"

#include <gmock/gmock.h>

namespace sightline::test {
namespace {

using testing::HasSubstr;

class SlowBeginAgain : public SmallRun {
 protected:
  void SetUp() override {
    SmallRun::SetUp();
    const CommandResult first = run("train recipe.toml --output a");
    ASSERT_EQ(first.exit_code, 0) << first.output;
  }
  void expect_same_model(const std::string& run_a, const std::string& run_b) const {
    for (const char* part : {"vision", "connector", "language"}) {
      EXPECT_EQ(weights(run_a, part), weights(run_b, part)) << part;
    }
  }
};

TEST_F(SlowBeginAgain, TheSameStageAgainGivesTheSameModel) {
  const CommandResult again = run("train recipe.toml --from-stage two --from-run a --output b");
  ASSERT_EQ(again.exit_code, 0) << again.output;
  expect_same_model("a", "b");
  const Json history = read_json(path("b/history.json"));
  EXPECT_EQ(history[0]["run"], "a");
  EXPECT_EQ(history[0]["stages"], Json({"one"}));
  EXPECT_EQ(history[0]["begun_again"], "two");
  EXPECT_THAT(read_file(path("b/model/README.md")),
              HasSubstr("those of `a`; begun again at `two`"));
  // The log tells of all steps, those of the other run before those of this.
  std::vector<int64_t> steps;
  std::string taken_from;
  for (const Json& line : log("b")) {
    if (line.contains("loss")) steps.push_back(line["step"].get<int64_t>());
    if (line.contains("taken_from")) taken_from = line["taken_from"].get<std::string>();
  }
  EXPECT_EQ(taken_from, "a");
  for (size_t i = 0; i < steps.size(); ++i) EXPECT_EQ(steps[i], static_cast<int64_t>(i + 1));
}

TEST_F(SlowBeginAgain, AChangedAndAPutInStageGoOnFromTheOneBefore) {
  write("changed.toml", replaced(kSmallRecipe, "[[stage]]\nname = \"three\"",
                                 "[[stage]]\nname = \"between\"\ntrain = [\"connector\"]\n"
                                 "mixture = [{ data = \"scenes\" }]\nlr = 1e-4\nstep_tokens = 700\n"
                                 "micro_tokens = 300\n[[stage]]\nname = \"three\""));
  const CommandResult put_in =
      run("train changed.toml --from-stage between --from-run a --output b");
  ASSERT_EQ(put_in.exit_code, 0) << put_in.output;
  // As the whole changed recipe from the start gives it.
  ASSERT_EQ(run("train changed.toml --output c").exit_code, 0);
  expect_same_model("b", "c");
  EXPECT_NE(weights("a", "connector"), weights("b", "connector"));
  // And once more, from a run that was itself begun again.
  const CommandResult third =
      run("train changed.toml --set stage.three.lr=1e-4 --from-stage three --from-run b");
  ASSERT_EQ(third.exit_code, 0) << third.output;
  EXPECT_EQ(read_json(path("runs/small-from-three/history.json")).size(), 2u);
}

TEST_F(SlowBeginAgain, StoppedGoesOnByResume) {
  const std::string words = "train recipe.toml --from-stage two --from-run a --output b";
  const CommandResult killed = run_command(
      "cd " + folder_.path().string() + " && SIGHTLINE_CRASH_AT=step.mid_accumulation:9 " +
      environment_path("SIGHTLINE_BINARY").string() + " " + words);
  EXPECT_NE(killed.exit_code, 0);
  const CommandResult resumed = run(words + " --resume");
  ASSERT_EQ(resumed.exit_code, 0) << resumed.output;
  expect_same_model("a", "b");
}

TEST_F(SlowBeginAgain, RefusesWhatWouldNotBeTheSameBefore) {
  const auto refusal = [&](const std::string& words) {
    const CommandResult result = run("train recipe.toml --from-run a --output b " + words);
    EXPECT_EQ(result.exit_code, 2) << result.output;
    return result.output;
  };
  EXPECT_THAT(refusal("--from-stage two --set stage.one.lr=0.5"),
              HasSubstr("[[stage]] name = \"one\" `lr = { base = 0.5 }` here, "
                        "`lr = { base = 0.001 }` there"));
  EXPECT_THAT(refusal("--from-stage two --set data.scenes.count=50"), HasSubstr("[data.scenes]"));
  EXPECT_THAT(refusal("--from-stage two --set look_ahead=3"), HasSubstr("`look_ahead = 3` here"));
  EXPECT_THAT(refusal("--from-stage one"), HasSubstr("is the first stage"));
  EXPECT_THAT(refusal("--from-stage tow"), HasSubstr("did you mean \"two\"?"));
  EXPECT_THAT(run("train recipe.toml --from-stage two --from-run a --output a").output,
              HasSubstr("a run is there already"));
  EXPECT_THAT(run("train recipe.toml --from-stage two --from-run z --output b").output,
              HasSubstr("no run is there"));
  std::filesystem::remove_all(path("a/stages/one"));
  EXPECT_THAT(refusal("--from-stage two"), HasSubstr("has not come to the end of stage \"one\""));
  EXPECT_FALSE(std::filesystem::exists(path("b/recipe.toml")));
}

}  // namespace
}  // namespace sightline::test
