#include "cli/command_tree.h"

#include <algorithm>
#include <sstream>

#include <CLI/CLI.hpp>

namespace sightline {

namespace {

std::string on_one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

// CLI11 tells what CLI::IsMember lets pass as "TEXT:{fp32,bf16}", and nowhere else.
std::vector<std::string> values_in(const std::string& type_name) {
  std::vector<std::string> values;
  const size_t open = type_name.find('{'), close = type_name.find('}');
  if (open == std::string::npos || close == std::string::npos) return values;
  std::istringstream list(type_name.substr(open + 1, close - open - 1));
  for (std::string value; std::getline(list, value, ',');) values.push_back(value);
  return values;
}

CommandFlag flag_of(const CLI::Option& option) {
  CommandFlag flag{.what = on_one_line(option.get_description()),
                   .takes_value = option.get_items_expected_max() > 0,
                   .values = values_in(option.get_type_name())};
  for (const std::string& name : option.get_lnames()) flag.names.push_back("--" + name);
  for (const std::string& name : option.get_snames()) flag.names.push_back("-" + name);
  return flag;
}

void append(const CLI::App& app, const std::string& above, std::vector<Command>& commands) {
  Command command{.path = above + app.get_name(),
                  .name = app.get_name(),
                  .what = on_one_line(app.get_description()),
                  .help_end = app.get_footer()};
  for (const CLI::Option* option : app.get_options()) {
    if (option->nonpositional()) {
      command.flags.push_back(flag_of(*option));
      continue;
    }
    for (std::string& value : values_in(option->get_type_name())) {
      command.positional_values.push_back(std::move(value));
    }
  }
  const auto below = app.get_subcommands([](const CLI::App*) { return true; });
  for (const CLI::App* each : below) command.subcommands.push_back(each->get_name());
  const std::string prefix = command.path + " ";
  commands.push_back(std::move(command));
  for (const CLI::App* each : below) append(*each, prefix, commands);
}

}  // namespace

std::vector<Command> commands_of(const CLI::App& program) {
  std::vector<Command> commands;
  append(program, "", commands);
  return commands;
}

}  // namespace sightline
