// The built program on bad input: one clear line, exit code 1 or 2, and never a signal.

#include "tests/support.h"

#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline::test {
namespace {

using testing::HasSubstr;

constexpr int kFailed = 1, kWrongUsage = 2;

class SlowUsage : public testing::Test {
 protected:
  void SetUp() override {
    if (binary_.empty() || !std::filesystem::exists(binary_)) {
      GTEST_SKIP() << "needs SIGHTLINE_BINARY, the built program";
    }
  }

  CommandResult run(const std::string& arguments) const {
    return run_command("cd " + folder_.path().string() + " && " + binary_.string() + " " +
                       arguments);
  }

  void expect_error(const std::string& arguments, int exit_code, const std::string& words) const {
    const CommandResult result = run(arguments);
    EXPECT_EQ(result.exit_code, exit_code) << arguments << "\n" << result.output;
    EXPECT_THAT(result.output, HasSubstr(words)) << arguments;
    EXPECT_THAT(result.output, testing::StartsWith("sightline: ")) << arguments;
    EXPECT_EQ(std::count(result.output.begin(), result.output.end(), '\n'), 1) << result.output;
  }

  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((folder_.path() / name).parent_path());
    std::ofstream(folder_.path() / name) << text;
  }

  const std::filesystem::path binary_ = environment_path("SIGHTLINE_BINARY");
  const TemporaryFolder folder_;
};

// Of every subcommand: help_test.cpp.
TEST_F(SlowUsage, HelpAndVersionEndWell) {
  const CommandResult help = run("tokenizer train --help");
  EXPECT_EQ(help.exit_code, 0) << help.output;
  EXPECT_THAT(help.output, HasSubstr("sightline tokenizer train"));
  EXPECT_EQ(run("--help").exit_code, 0);
  EXPECT_EQ(run("--version").output, "sightline 0.1.0\n");
  EXPECT_EQ(run("completions bash").exit_code, 0);
  expect_error("completions powershell", kWrongUsage, "powershell");
}

// It starts itself anew for that, with all else that it was started with.
TEST_F(SlowUsage, WaitingThreadsSleepUnlessToldOtherwise) {
  const auto told = [&](const std::string& variables) {
    return run_command("env " + variables + " " + binary_.string() + " doctor").output;
  };
  EXPECT_THAT(told("-u OMP_WAIT_POLICY"), HasSubstr("waiting ones sleep"));
  EXPECT_THAT(told("-u OMP_WAIT_POLICY SIGHTLINE_DATA=/nowhere"), HasSubstr("/nowhere"));
  EXPECT_THAT(told("OMP_WAIT_POLICY=active"), testing::Not(HasSubstr("waiting ones sleep")));
}

TEST_F(SlowUsage, WrongUsage) {
  expect_error("", kWrongUsage, "--help");
  expect_error("paint", kWrongUsage, "--help");
  expect_error("caption", kWrongUsage, "MODEL");
  expect_error("caption model a.jpg --beams 0", kWrongUsage, "beams");
  expect_error("caption model a.jpg --beams many", kWrongUsage, "beams");
  expect_error("caption model a.jpg --numbers fp8", kWrongUsage, "numbers");
  expect_error("score --references a.json", kWrongUsage, "--results");
}

TEST_F(SlowUsage, WhatIsNotThere) {
  write("a.png", "");
  std::filesystem::create_directory(folder_.path() / "empty");
  expect_error("caption nowhere a.png", kWrongUsage, "nowhere: no such folder");
  expect_error("caption empty b.png", kWrongUsage, "b.png: no such file");
  expect_error("caption empty empty", kWrongUsage, "empty: no pictures");
  expect_error("caption empty a.png", kFailed, "sightline.json");
  expect_error("ask empty b.png what", kWrongUsage, "b.png: no such file");
  expect_error("evaluate empty task", kFailed, "sightline.json");
  expect_error("tokenizer train --text none.txt --output t", kWrongUsage, "none.txt: no such file");
}

TEST_F(SlowUsage, ModelFoldersThatCannotBe) {
  write("a.png", "");
  write("future/sightline.json", R"({"format_version": 99})");
  expect_error("caption future a.png", kFailed, "99");
  write("torn/sightline.json", "{\"format_ver");
  expect_error("caption torn a.png", kFailed, "torn/sightline.json");
  write("mask/sightline.json", R"({"format_version": 1, "mask": "unheard-of"})");
  EXPECT_THAT(run("caption mask a.png").exit_code, testing::AnyOf(kFailed, kWrongUsage));
  write("hollow/sightline.json", R"({"format_version": 1, "mask": "image"})");
  expect_error("caption hollow a.png", kFailed, "hollow");
}

TEST_F(SlowUsage, ScoreFiles) {
  write("references.json", R"({"1": ["a cat on a mat"], "2": ["a dog"]})");
  write("results.json",
        R"([{"image_id": 1, "caption": "a cat"}, {"image_id": 2, "caption": "dog"}])");
  const CommandResult good =
      run("score --references references.json --results results.json --json");
  EXPECT_EQ(good.exit_code, 0) << good.output;
  EXPECT_THAT(good.output, HasSubstr("\"CIDEr\""));
  EXPECT_THAT(good.output, HasSubstr("\"Bleu_4\""));
  write("torn.json", "[{\"image_id\": 1, ");
  expect_error("score --references references.json --results torn.json", kFailed, "torn.json");
  expect_error("score --references none.json --results results.json", kFailed, "none.json");
  write("other.json", R"([{"image_id": 7, "caption": "a cat"}])");
  expect_error("score --references references.json --results other.json", kFailed, "7");
  write("word.json", R"({"caption": 3})");
  EXPECT_EQ(run("score --references references.json --results word.json").exit_code, kFailed);
}

TEST_F(SlowUsage, TokenizerIsTrainedAndNothingElseReplaced) {
  write("text.txt", "one two two three three three\nthree two\n");
  EXPECT_EQ(run("tokenizer train --text text.txt --vocab 260 --output tok").exit_code, 0);
  EXPECT_TRUE(std::filesystem::exists(folder_.path() / "tok/tokenizer.json"));
  write("mine/precious.txt", "mine");
  expect_error("tokenizer train --text text.txt --vocab 260 --output mine", kWrongUsage, "mine");
  EXPECT_TRUE(std::filesystem::exists(folder_.path() / "mine/precious.txt"));
}

TEST_F(SlowUsage, ScenesAreWritten) {
  EXPECT_EQ(run("data scenes --count 3 --output scenes").exit_code, 0);
  EXPECT_TRUE(std::filesystem::exists(folder_.path() / "scenes/images/000002.png"));
  EXPECT_TRUE(std::filesystem::exists(folder_.path() / "scenes/annotations.jsonl"));
  expect_error("data scenes --count 3 --output scenes", kWrongUsage, "scenes");
}

}  // namespace
}  // namespace sightline::test
