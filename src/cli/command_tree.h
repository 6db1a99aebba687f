#pragma once
// The program's subcommands and flags as plain data, read off the command line's own definition: so
// that completions and tests know what it takes.

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace sightline {

struct CommandFlag {
  std::vector<std::string> names;  // "--help", "-h"
  std::string what;                // on one line
  bool takes_value = false;
  std::vector<std::string> values;  // all that it takes; empty: anything
};

struct Command {
  std::string path;      // "sightline data check"
  std::string name;      // "check"
  std::string what;      // on one line
  std::string help_end;  // what stands below its help: the example
  std::vector<CommandFlag> flags;
  std::vector<std::string> positional_values;  // where a positional takes one of a few words
  std::vector<std::string> subcommands;        // their names
};

// `program` and all below it, each before its own.
std::vector<Command> commands_of(const CLI::App& program);

}  // namespace sightline
