// The help of every subcommand ends with an example, and what the example uses is there.

#include "cli/command_tree.h"
#include "cli/commands.h"

#include <algorithm>
#include <sstream>
#include <string>

#include <CLI/CLI.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline::test {
namespace {

using testing::HasSubstr;

// The lines of a help's end that call the program.
std::vector<std::string> examples_in(const std::string& text) {
  std::vector<std::string> examples;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const size_t call = line.find("sightline ");
    if (line.starts_with("  ") && call != std::string::npos) examples.push_back(line.substr(call));
  }
  return examples;
}

// The command that an example calls: of those whose path it begins with, the deepest.
const Command* called_by(const std::string& example, const std::vector<Command>& commands) {
  const Command* called = nullptr;
  for (const Command& command : commands) {
    if ((example + " ").starts_with(command.path + " ")) called = &command;
  }
  return called;
}

bool has_flag(const Command& command, const std::string& name) {
  return std::ranges::any_of(command.flags, [&](const CommandFlag& flag) {
    return std::ranges::find(flag.names, name) != flag.names.end();
  });
}

TEST(Help, OfEverySubcommandHasAnExample) {
  const auto program = make_program();
  const std::vector<Command> commands = commands_of(*program);
  EXPECT_GT(commands.size(), 15u);
  for (const Command& command : commands) {
    EXPECT_THAT(command.help_end, testing::StartsWith("Example")) << command.path;
    EXPECT_THAT(command.help_end, HasSubstr(command.path)) << command.path;
    EXPECT_FALSE(command.what.empty()) << command.path;
  }
}

TEST(Help, ExamplesUseFlagsThatAreThere) {
  const auto program = make_program();
  const std::vector<Command> commands = commands_of(*program);
  size_t flags = 0;
  for (const Command& command : commands) {
    for (const std::string& example : examples_in(command.help_end)) {
      const Command* called = called_by(example, commands);
      ASSERT_NE(called, nullptr) << example;
      std::istringstream words(example);
      for (std::string word; words >> word;) {
        if (word == "--") break;  // what follows is another command's
        if (!word.starts_with("--")) continue;
        EXPECT_TRUE(has_flag(*called, word)) << called->path << " has no " << word;
        ++flags;
      }
    }
  }
  EXPECT_GT(flags, 5u);
}

}  // namespace
}  // namespace sightline::test
