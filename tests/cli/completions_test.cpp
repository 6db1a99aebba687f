// The scripts of `sightline completions`, run by the shells that they are for.

#include "base/file.h"
#include "cli/command_tree.h"
#include "cli/commands.h"
#include "cli/completion_script.h"
#include "tests/support.h"

#include <sstream>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

bool has_shell(const std::string& name) { return run_command("command -v " + name).exit_code == 0; }

class Completions : public testing::Test {
 protected:
  void SetUp() override {
    write_file(folder_.path() / "bash", bash_completion(commands_));
    write_file(folder_.path() / "zsh", zsh_completion(commands_));
    write_file(folder_.path() / "fish", fish_completion(commands_));
  }

  // What bash offers for the last word of a line; the line's words are quoted already.
  std::vector<std::string> offered(const std::string& line) const {
    const CommandResult result = run_command(fmt::format(
        "bash -c 'source {}/bash; COMP_WORDS=({}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); "
        "_sightline; printf \"%s\\n\" \"${{COMPREPLY[@]}}\"'",
        folder_.path().string(), line));
    EXPECT_EQ(result.exit_code, 0) << result.output;
    std::vector<std::string> words;
    std::istringstream lines(result.output);
    for (std::string word; std::getline(lines, word);) {
      if (!word.empty()) words.push_back(word);
    }
    return words;
  }

  const std::unique_ptr<CLI::App> program_ = make_program();
  const std::vector<Command> commands_ = commands_of(*program_);
  const TemporaryFolder folder_;
};

TEST_F(Completions, BashOffersSubcommands) {
  EXPECT_THAT(offered("sightline da"), ElementsAre("data"));
  EXPECT_THAT(offered("sightline data ch"), ElementsAre("check"));
  EXPECT_THAT(offered("sightline \"\""), Contains("train"));
  EXPECT_THAT(offered("sightline \"\""), Not(Contains("check")));
  for (const std::string& name : commands_.front().subcommands) {
    EXPECT_THAT(offered("sightline " + name), Contains(name));
  }
}

TEST_F(Completions, BashOffersFlagsAndTheirValues) {
  EXPECT_THAT(offered("sightline train r.toml --res"), ElementsAre("--resume"));
  EXPECT_THAT(offered("sightline data check r.toml --"), Contains("--workers"));
  EXPECT_THAT(offered("sightline data --"), Not(Contains("--workers")));
  EXPECT_THAT(offered("sightline caption model a.jpg --numbers \"\""), ElementsAre("fp32", "bf16"));
  EXPECT_THAT(offered("sightline inspect mask --policy ca"), ElementsAre("causal"));
  EXPECT_THAT(offered("sightline completions \"\""), ElementsAre("bash", "zsh", "fish"));
}

// Nothing offered: bash then completes names of files (complete -o default).
TEST_F(Completions, BashLeavesFilesToItself) {
  EXPECT_THAT(offered("sightline train \"\""), IsEmpty());
  EXPECT_THAT(offered("sightline inspect mask --svg \"\""), IsEmpty());
  const CommandResult result = run_command("bash -c 'source " + (folder_.path() / "bash").string() +
                                           "; complete -p sightline'");
  EXPECT_EQ(result.output, "complete -o default -F _sightline sightline\n");
}

TEST_F(Completions, EveryFlagIsInEveryScript) {
  const std::string fish = read_file(folder_.path() / "fish");
  const std::string zsh = read_file(folder_.path() / "zsh");
  for (const Command& command : commands_) {
    const auto in_bash = offered(command.path + " --");
    for (const CommandFlag& flag : command.flags) {
      EXPECT_THAT(in_bash, Contains(flag.names.front())) << command.path;
      EXPECT_THAT(zsh, testing::HasSubstr("'" + flag.names.front() + ":"));
      EXPECT_THAT(fish, testing::HasSubstr(" -l " + flag.names.front().substr(2)));
    }
  }
}

TEST_F(Completions, ZshReadsItsScript) {
  if (!has_shell("zsh")) GTEST_SKIP() << "needs zsh";
  const CommandResult result =
      run_command("zsh -fc 'autoload -U compinit; compinit -D; source " +
                  (folder_.path() / "zsh").string() + "; print $_comps[sightline]'");
  EXPECT_EQ(result.output, "_sightline\n");
}

TEST_F(Completions, FishCompletesByItsScript) {
  if (!has_shell("fish")) GTEST_SKIP() << "needs fish";
  const auto offers = [&](const std::string& line) {
    return run_command("fish --no-config -c 'source " + (folder_.path() / "fish").string() +
                       "; complete -C \"" + line + "\"'")
        .output;
  };
  EXPECT_THAT(offers("sightline data ch"), testing::StartsWith("check"));
  EXPECT_THAT(offers("sightline train r.toml --res"), testing::StartsWith("--resume"));
  EXPECT_THAT(offers("sightline caption m a.jpg --numbers "), testing::HasSubstr("bf16"));
}

}  // namespace
}  // namespace sightline::test
