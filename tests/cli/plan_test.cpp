// The built program's `plan`: against the run that it plans, and on bad input.

#include "base/json.h"
#include "tests/run/small_run.h"

#include <map>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline::test {
namespace {

using testing::HasSubstr;

class SlowPlan : public ProgramRun {
 protected:
  void SetUp() override {
    const auto binary = environment_path("SIGHTLINE_BINARY");
    if (binary.empty() || !std::filesystem::exists(binary)) {
      GTEST_SKIP() << "needs SIGHTLINE_BINARY, the built program";
    }
    begin(kSmallRecipe);
  }

  Json plan(const std::string& words) const {
    const CommandResult result = run("plan " + words + " --json > out 2> log; exit $?");
    EXPECT_EQ(result.exit_code, 0) << read_file(path("log"));
    return read_json(path("out"));
  }
};

TEST_F(SlowPlan, IsWhatTheRunThenDoes) {
  const Json planned = plan("recipe.toml --device h100");
  const CommandResult trained = run("train recipe.toml --output run");
  ASSERT_EQ(trained.exit_code, 0) << trained.output;
  std::map<std::string, std::map<std::string, double>> sums;
  std::istringstream lines(read_file(path("run") / "run.jsonl"));
  for (std::string line; std::getline(lines, line);) {
    const Json step = Json::parse(line);
    if (!step.contains("loss")) continue;
    auto& sum = sums[step["stage"].get<std::string>()];
    sum["steps"] += 1;
    for (const char* key : {"samples", "images", "tokens", "predictions", "micro_batches"}) {
      sum[key] += step[key].get<double>();
    }
  }
  for (const Json& stage : planned["stages"]) {
    auto& sum = sums.at(stage["name"].get<std::string>());
    const Json& data = stage["data"];
    EXPECT_EQ(data["steps"], sum["steps"]);
    EXPECT_EQ(data["samples"], sum["samples"]);
    EXPECT_EQ(data["pictures"], sum["images"]);
    EXPECT_EQ(data["tokens"], sum["tokens"]);
    EXPECT_EQ(data["learnt"], sum["predictions"]);
    EXPECT_EQ(data["micro_batches"], sum["micro_batches"]);
  }
}

// Three times: behind the last norm, before layer 1, and behind the norm again, the layers below
// having been trained.
TEST_F(SlowPlan, FeaturesOnDisk) {
  const Json planned = plan("recipe.toml --device h100");
  ASSERT_EQ(run("train recipe.toml --output run").exit_code, 0);
  double bytes = 0, stored = 0;
  for (const Json& stage : planned["stages"]) bytes += stage["features"]["bytes"].get<double>();
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path("cache"))) {
    if (entry.path().filename() == "features.bin") {
      stored += static_cast<double>(std::filesystem::file_size(entry.path()));
    }
  }
  EXPECT_EQ(bytes, stored);
}

TEST_F(SlowPlan, ByAProbeOfThisMachine) {
  const CommandResult text = run("plan recipe.toml");
  ASSERT_EQ(text.exit_code, 0) << text.output;
  for (const char* words :
       {"Parameters", "Attention", "Operations", "Memory", "a probe", "hours"}) {
    EXPECT_THAT(text.output, HasSubstr(words));
  }
  const Json json = plan("recipe.toml");
  EXPECT_GT(json["seconds"], 0);
  EXPECT_GT(json["stages"][0]["probe_peak_memory"], json["stages"][0]["memory"]["all"]);
}

TEST_F(SlowPlan, WrongUse) {
  const auto expect_error = [&](const std::string& words, const std::string& message) {
    const CommandResult result = run("plan " + words);
    EXPECT_EQ(result.exit_code, 2) << result.output;
    EXPECT_THAT(result.output, HasSubstr(message));
  };
  expect_error("recipe.toml --gpus 8", "the device is cpu");
  expect_error("recipe.toml --device abacus", "abacus");
  expect_error("recipe.toml --device h100 --mfu 2", "mfu");
  expect_error("recipe.toml --nodes 2", "--nodes 2: the device is cpu");
  for (const char* link : {"0Gb", "400GB", "fast"}) {
    expect_error(std::string("recipe.toml --device h100 --nodes 2 --link ") + link,
                 std::string("--link \"") + link + "\": gigabits a second");
  }
  expect_error("nowhere.toml", "nowhere.toml");
  write("sizes.json", R"({"scnes": {"samples": 5}})");
  expect_error("recipe.toml --assume sizes.json", "[data.scnes]");
  write("sizes.json", R"({"scenes": {"samples": "many"}})");
  EXPECT_EQ(run("plan recipe.toml --assume sizes.json").exit_code, 1);
}

TEST_F(SlowPlan, OfTheDemo) {
  const std::string recipe = (source_folder() / "recipes/demo.toml").string();
  const CommandResult result = run_command("cd " + source_folder().string() + " && " +
                                           environment_path("SIGHTLINE_BINARY").string() +
                                           " plan " + recipe + " --device l4 --samples 200");
  ASSERT_EQ(result.exit_code, 0) << result.output;
  for (const char* stage : {"align", "deepen", "pretrain", "instruct"}) {
    EXPECT_THAT(result.output, HasSubstr(stage));
  }
  EXPECT_THAT(result.output, HasSubstr("1 x l4"));
}

}  // namespace
}  // namespace sightline::test
