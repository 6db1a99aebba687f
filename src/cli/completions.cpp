// sightline completions SHELL

#include "cli/command_tree.h"
#include "cli/commands.h"
#include "cli/completion_script.h"

#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace sightline {

void add_completions_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "completions", "Print a script with which a shell completes subcommands and flags.");
  command->footer(
      "Example:\n  source <(sightline completions bash)"
      "\n\nThe script's first lines say where each shell wants it.");
  const auto shell = std::make_shared<std::string>();
  command->add_option("SHELL", *shell, "bash, zsh or fish")
      ->check(CLI::IsMember({"bash", "zsh", "fish"}))
      ->required();
  command->callback([shell, &app] {
    const std::vector<Command> commands = commands_of(app);
    const auto write = *shell == "bash"  ? bash_completion
                       : *shell == "zsh" ? zsh_completion
                                         : fish_completion;
    fmt::print("{}", write(commands));
  });
}

}  // namespace sightline
