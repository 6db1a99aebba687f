#pragma once
// What a shell needs to complete the program's command line, as a script written from its commands:
// subcommands, flags, the words that a flag takes; else names of files.

#include "cli/command_tree.h"

#include <span>
#include <string>

namespace sightline {

// `commands` are those of commands_of(): the program first.
std::string bash_completion(std::span<const Command> commands);
std::string zsh_completion(std::span<const Command> commands);
std::string fish_completion(std::span<const Command> commands);

}  // namespace sightline
