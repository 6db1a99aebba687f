// `sightline recaption` through the built program: what it writes trains, the same on any number of
// ranks, and however often it is killed.

#include "base/file.h"
#include "base/json.h"
#include "data/dataset.h"
#include "tests/evaluate/toy_bundle.h"
#include "tests/support.h"

#include <algorithm>
#include <filesystem>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// Of the scenes' lines that `data scenes` writes, each with captions or a question.
constexpr const char* kRecipe = R"(
name = "toy"
[model]
from = "model"
[data.pictures]
format = "jsonl"
annotations = "scenes/annotations.jsonl"
images = "scenes"
prompt = "look"
[task.describe]
kind = "caption"
data = "pictures"
decoding = { max_new_tokens = 5, batch = 3 }
[[stage]]
name = "align"
train = ["connector"]
mixture = [{ data = "pictures" }]
)";

constexpr const char* kTraining = R"(
name = "again"
[model]
from = "model"
[data.written]
format = "jsonl"
annotations = "written.jsonl"
images = "scenes"
[[stage]]
name = "align"
train = ["connector"]
mixture = [{ data = "written" }]
step_tokens = 400
micro_tokens = 400
)";

constexpr int kPictures = 14;
constexpr const char* kDrawn = " --answers 2 --temperature 0.8 --seed 3";

class RecaptionProgram : public testing::Test {
 protected:
  void SetUp() override {
    SIGHTLINE_NEEDS(binary_);
    Bundle bundle = toy_bundle();
    bundle.recipe = kRecipe;
    save_bundle(path("model"), bundle, "a toy");
    ASSERT_EQ(program(fmt::format("data scenes --count {} --output scenes", kPictures)).exit_code,
              0);
  }

  CommandResult shell(const std::string& command) const {
    return run_command("cd " + folder_.path().string() + " && " + command);
  }
  CommandResult program(const std::string& words, const std::string& before = "") const {
    return shell(before + " " + binary_.string() + " " + words);
  }
  // Written to the file `name`.
  CommandResult recaption(const std::string& name, const std::string& flags = "",
                          const std::string& before = "") const {
    return program(words_of(name, flags), before);
  }
  static std::string words_of(const std::string& name, const std::string& flags) {
    return "recaption model pictures --prompt describe --output " + name + " " + flags;
  }

  fs::path path(const std::string& name) const { return folder_.path() / name; }
  std::string text(const std::string& name) const { return read_file(path(name)); }
  std::string partial(const std::string& name) const { return text(name + ".partial"); }
  static int64_t lines_in(const std::string& text) {
    return std::count(text.begin(), text.end(), '\n');
  }

  const fs::path binary_ = environment_path("SIGHTLINE_BINARY");
  const TemporaryFolder folder_;
};
using SlowRecaption = RecaptionProgram;
using OracleRecaption = RecaptionProgram;

TEST_F(SlowRecaption, WhatItWritesTrains) {
  const CommandResult result = recaption("written.jsonl", kDrawn);
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("written.jsonl: 14 lines with 28 answers"));
  EXPECT_THAT(result.output, HasSubstr("images = \"scenes\""));
  DataRecipe data;
  data.annotations = path("written.jsonl").string();
  data.images = path("scenes").string();
  const auto written = open_dataset("written", data);
  ASSERT_EQ(written->size(), kPictures);
  for (size_t i = 0; i < kPictures; ++i) {
    const Example example = written->example(i);
    ASSERT_EQ(example.conversations.size(), 2u);
    EXPECT_EQ(example.conversations[1].front().text, "describe");
    EXPECT_EQ(fs::path(example.images.front().path).filename(), fmt::format("{:06}.png", i));
  }
  write_file(path("again.toml"), kTraining);
  const CommandResult checked = program("data check again.toml");
  EXPECT_EQ(checked.exit_code, 0) << checked.output;
  const CommandResult trained = program("train again.toml");
  EXPECT_EQ(trained.exit_code, 0) << trained.output;
}

// Each question that the table asks of a picture, and its captions' prompt.
TEST_F(SlowRecaption, AsksWhatTheTableAsks) {
  const CommandResult result = program("recaption model pictures --output out.jsonl");
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const Json first = Json::parse(text("out.jsonl").substr(0, text("out.jsonl").find('\n')));
  EXPECT_EQ(first["image"], "images/000000.png");
  EXPECT_EQ(first["questions"][0]["question"], "look");
  EXPECT_GT(first["questions"].size(), 1u);
  EXPECT_EQ(lines_in(text("out.jsonl")), kPictures);
  // A folder's pictures are asked what the model's recipe asks.
  ASSERT_EQ(program("recaption model scenes/images --output folder.jsonl").exit_code, 0);
  const Json alone = Json::parse(text("folder.jsonl").substr(0, text("folder.jsonl").find('\n')));
  EXPECT_EQ(alone["image"], "000000.png");
  ASSERT_EQ(alone["questions"].size(), 1u);
  EXPECT_EQ(alone["questions"][0], first["questions"][0]);
}

TEST_F(SlowRecaption, AnyNumberOfRanksWritesTheSameFile) {
  for (const std::string flags : {"", kDrawn}) {
    const std::string kind = flags.empty() ? "greedy" : "drawn";
    ASSERT_EQ(recaption(kind, flags).exit_code, 0);
    ASSERT_EQ(lines_in(text(kind)), kPictures);
    for (const int ranks : {1, 2, 3}) {
      const std::string name = fmt::format("{}-{}", kind, ranks);
      const CommandResult result =
          program(fmt::format("launch --nproc {} -- {}", ranks, words_of(name, flags)));
      ASSERT_EQ(result.exit_code, 0) << result.output;
      EXPECT_EQ(text(name), text(kind)) << ranks << " ranks";
      EXPECT_THAT(result.output, HasSubstr("14 lines with"));
    }
  }
}

TEST_F(SlowRecaption, KilledItGoesOnToTheSameFile) {
  ASSERT_EQ(recaption("whole").exit_code, 0);
  const CommandResult killed = recaption("out", "", "SIGHTLINE_CRASH_AT=recaption.written:2");
  ASSERT_EQ(killed.exit_code, 128 + 9) << killed.output;
  EXPECT_FALSE(fs::exists(path("out")));
  EXPECT_EQ(lines_in(partial("out")), 6);
  const CommandResult anew = recaption("out");
  EXPECT_EQ(anew.exit_code, 2);
  EXPECT_THAT(anew.output, HasSubstr("out.partial: here a run was stopped; --resume goes on"));

  // Torn within its last line, or between the lines of a batch, or with nothing whole at all.
  const std::string left = partial("out");
  for (const size_t size : {left.size(), left.size() - 7, left.size() - 1, left.find('\n') + 9,
                            left.find('\n'), size_t{0}}) {
    fs::remove(path("out"));
    write_file(path("out.partial"), left.substr(0, size));
    const CommandResult resumed = recaption("out", "--resume");
    ASSERT_EQ(resumed.exit_code, 0) << resumed.output;
    EXPECT_EQ(text("out"), text("whole")) << size;
    EXPECT_FALSE(fs::exists(path("out.partial")));
  }
  // On other ranks, and where nothing is.
  fs::remove(path("out"));
  write_file(path("out.partial"), left.substr(0, left.size() - 7));
  ASSERT_EQ(program("launch --nproc 2 -- " + words_of("out", "--resume")).exit_code, 0);
  EXPECT_EQ(text("out"), text("whole"));
  ASSERT_EQ(recaption("new", "--resume").exit_code, 0);
  EXPECT_EQ(text("new"), text("whole"));
}

// Killed whenever it has written twice: the launcher starts it again with --resume.
TEST_F(SlowRecaption, RestartsGoOn) {
  ASSERT_EQ(recaption("whole", "--set task.describe.decoding.batch=1").exit_code, 0);
  const CommandResult result = program(
      "launch --nproc 2 --restarts 9 -- " + words_of("out", "--set task.describe.decoding.batch=1"),
      "SIGHTLINE_CRASH_AT=recaption.written:2");
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("restart 3 of 9"));
  EXPECT_EQ(text("out"), text("whole"));
}

TEST_F(SlowRecaption, AWholeFileIsWholeOrGrows) {
  ASSERT_EQ(recaption("whole").exit_code, 0);
  ASSERT_EQ(recaption("out", "--limit 10").exit_code, 0);
  const int64_t few = lines_in(text("out"));
  EXPECT_LT(few, kPictures);
  const CommandResult there = recaption("out");
  EXPECT_EQ(there.exit_code, 2);
  EXPECT_THAT(there.output, HasSubstr("out: is there already"));
  const CommandResult same = recaption("out", "--limit 10 --resume");
  EXPECT_EQ(same.exit_code, 0) << same.output;
  EXPECT_EQ(lines_in(text("out")), few);
  const CommandResult more = recaption("out", "--resume");
  EXPECT_EQ(more.exit_code, 0) << more.output;
  EXPECT_EQ(text("out"), text("whole"));
  // Another command does not go on with it, and leaves it.
  for (const std::string& words :
       {words_of("out", "--max-tokens 4"), words_of("out", "--limit 10"),
        std::string("recaption model pictures --prompt 'what is it?' --output out")}) {
    const CommandResult other = program(words + " --resume");
    EXPECT_EQ(other.exit_code, 2) << other.output;
    EXPECT_THAT(other.output, HasSubstr("name another --output"));
    EXPECT_EQ(text("out"), text("whole"));
  }
}

TEST_F(SlowRecaption, UnreadablePicturesEndItOrAreLeftOut) {
  const std::string skip = "--set data.pictures.on_bad_sample=skip";
  ASSERT_EQ(recaption("whole").exit_code, 0);
  write_file(path("scenes/images/000004.png"), "no picture");
  const CommandResult failed = recaption("out");
  EXPECT_EQ(failed.exit_code, 1);
  EXPECT_THAT(failed.output, AllOf(HasSubstr("scenes/annotations.jsonl:"), HasSubstr("000004.png"),
                                   HasSubstr("on_bad_sample = \"skip\"")));
  const CommandResult ranks = program("launch --nproc 2 -- " + words_of("out", "--resume"));
  EXPECT_EQ(ranks.exit_code, 1);
  EXPECT_THAT(ranks.output, HasSubstr("000004.png"));
  const CommandResult left_out = recaption("out", "--resume " + skip);
  ASSERT_EQ(left_out.exit_code, 0) << left_out.output;
  EXPECT_THAT(left_out.output, AllOf(HasSubstr("left out: scenes/annotations.jsonl:"),
                                     HasSubstr("1 pictures are left out")));
  std::string expected = text("whole");
  const size_t line = expected.find("{\"image\":\"images/000004.png\"");
  expected.erase(line, expected.find('\n', line) + 1 - line);
  EXPECT_EQ(text("out"), expected);
  ASSERT_EQ(program("launch --nproc 3 -- " + words_of("three", skip)).exit_code, 0);
  EXPECT_EQ(text("three"), expected);
}

// A run that failed before its first line is no run to go on with.
TEST_F(SlowRecaption, NothingWrittenIsBegunAnew) {
  const std::string picture = text("scenes/images/000000.png");
  write_file(path("scenes/images/000000.png"), "no picture");
  ASSERT_EQ(recaption("out").exit_code, 1);
  ASSERT_EQ(partial("out"), "");
  write_file(path("scenes/images/000000.png"), picture);
  const CommandResult again = recaption("out");
  EXPECT_EQ(again.exit_code, 0) << again.output;
  EXPECT_EQ(lines_in(text("out")), kPictures);
}

TEST_F(SlowRecaption, MistakesAreOneLine) {
  fs::create_directory(path("pictures"));
  const std::pair<std::string, std::string> mistakes[] = {
      {"recaption model nothing --output out", "nothing: no such folder, and no such [data.*]"},
      {"recaption model pictures --output out", "write ./pictures for the folder"},
      {"recaption model ./pictures --output out", "no pictures in this folder"},
      {"recaption model scenes/images --output none/out", "none: no such folder to write out in"},
      {"recaption model scenes/images --output scenes", "scenes: is a folder; name a file"},
      {"recaption model scenes/images --output out --answers 2", "greedy search finds one answer"},
      {"recaption model scenes/images", "--output is required"}};
  for (const auto& [words, says] : mistakes) {
    const CommandResult result = program(words);
    EXPECT_EQ(result.exit_code, 2) << words << "\n" << result.output;
    EXPECT_THAT(result.output, HasSubstr(says));
    EXPECT_EQ(lines_in(result.output), 1) << result.output;
    EXPECT_FALSE(fs::exists(path("out.partial")));
  }
}

TEST_F(OracleRecaption, MpirunWritesTheSameFile) {
  SIGHTLINE_NEEDS("/usr/bin/mpirun");
  ASSERT_EQ(recaption("whole").exit_code, 0);
  const CommandResult result = shell(
      "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 mpirun -n 2 "
      "--oversubscribe " +
      binary_.string() + " " + words_of("ranks", ""));
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(text("ranks"), text("whole"));
}

TEST_F(OracleRecaption, TorchrunWritesTheSameFile) {
  const fs::path torchrun = oracle_python().parent_path() / "torchrun";
  SIGHTLINE_NEEDS(torchrun);
  ASSERT_EQ(recaption("whole").exit_code, 0);
  const CommandResult result =
      shell(torchrun.string() + " --no-python --nproc-per-node 2 --master-port 29547 " +
            binary_.string() + " " + words_of("ranks", ""));
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(text("ranks"), text("whole"));
}

}  // namespace
}  // namespace sightline::test
