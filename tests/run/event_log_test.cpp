// A run's events for TensorBoard.

#include "run/event_log.h"

#include "tests/run/small_run.h"

#include <map>

#include <gtest/gtest.h>

namespace sightline {
namespace {

namespace fs = std::filesystem;

Recipe one_stage() {
  Recipe recipe;
  StageRecipe stage;
  stage.name = "one";
  stage.lr = {.base = 1e-3, .vision = 1e-4};
  recipe.stages.push_back(stage);
  return recipe;
}

Json line_of(int64_t step) {
  return {{"step", step},         {"stage", "one"},
          {"loss", 2.5},          {"lr_factor", 0.5},
          {"gradient_norm", 1.0}, {"gradient_norms", {{"vision", 0.6}, {"language", 0.8}}}};
}

size_t files_in(const fs::path& folder) {
  return static_cast<size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST(EventLog, RatesGoByThePart) {
  const auto rates = learning_rates(line_of(1), one_stage());
  EXPECT_EQ(rates, (std::map<std::string, double>{{"vision", 0.5e-4}, {"language", 0.5e-3}}));
  Json other = line_of(1);
  other["stage"] = "taken out";
  EXPECT_TRUE(learning_rates(other, one_stage()).empty());
}

TEST(EventLog, NeverThrows) {
  const Recipe recipe = one_stage();
  testing::internal::CaptureStderr();
  EventLog log("/proc/no such folder", 0, recipe);
  log.add(line_of(1));
  log.add(line_of(2));
  const std::string told = testing::internal::GetCapturedStderr();
  EXPECT_NE(told.find("training goes on"), std::string::npos);
  EXPECT_EQ(told.find("training goes on"), told.rfind("training goes on")) << "told once";
}

TEST(EventLog, AFileASession) {
  const test::TemporaryFolder folder;
  const Recipe recipe = one_stage();
  EventLog(folder.path(), 0, recipe).add(line_of(1));
  EventLog(folder.path(), 1, recipe).add(line_of(2));
  EXPECT_EQ(files_in(folder.path()), 2u);
}

class OracleEventLog : public test::SmallRun {};

// A run killed and resumed: TensorBoard shows what run.jsonl says.
TEST_F(OracleEventLog, TensorBoardShowsTheRun) {
  SIGHTLINE_NEEDS(test::oracle_python());
  const std::string words = "train recipe.toml --output r --set checkpoint.every=2";
  ASSERT_NE(test::run_command("cd " + path("").string() + " && SIGHTLINE_CRASH_AT=stage.begun:2 " +
                              test::environment_path("SIGHTLINE_BINARY").string() + " " + words)
                .exit_code,
            0);
  ASSERT_EQ(run(words + " --resume").exit_code, 0);
  ASSERT_EQ(test::run_oracle("events", path("r").string()).exit_code, 0);
  const Json seen = read_json(path("r") / "seen.json");
  std::map<std::string, Json> wanted;
  for (const Json& line : log("r")) {
    if (line.contains("loss")) wanted["loss"].push_back({line["step"], line["loss"]});
    if (line.contains("evaluation")) {
      wanted["evaluation/validation_loss"].push_back(
          {line["step"], line["evaluation"]["validation_loss"]});
    }
  }
  for (const auto& [tag, points] : wanted) {
    ASSERT_EQ(seen.at(tag).size(), points.size()) << tag;
    for (size_t i = 0; i < points.size(); ++i) {
      EXPECT_EQ(seen[tag][i][0], points[i][0]) << tag;
      EXPECT_FLOAT_EQ(seen[tag][i][1].get<float>(), points[i][1].get<float>()) << tag;
    }
  }
}

}  // namespace
}  // namespace sightline
