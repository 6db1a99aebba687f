#include "cli/completion_script.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace sightline {

namespace {

using Words = std::vector<std::string>;

// Between single quotes, as bash and zsh read them.
std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

std::string fish_quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') result += '\\';
    result += c;
  }
  return result + "'";
}

// "name:what it does", as zsh's _describe takes it.
std::string described(std::string name, const std::string& what) {
  for (size_t at = 0; (at = name.find(':', at)) != std::string::npos; at += 2)
    name.insert(at, "\\");
  return quoted(name + ":" + what);
}

Words paths_below_program(std::span<const Command> commands) {
  Words paths;
  for (const Command& command : commands.subspan(1)) paths.push_back(quoted(command.path));
  return paths;
}

Words flag_names(const Command& command) {
  Words names;
  for (const CommandFlag& flag : command.flags) {
    names.insert(names.end(), flag.names.begin(), flag.names.end());
  }
  return names;
}

Words subcommands_and_values(const Command& command) {
  Words words = command.subcommands;
  words.insert(words.end(), command.positional_values.begin(), command.positional_values.end());
  return words;
}

// "'sightline caption --numbers' | ...", one a name of the flag.
std::string places_of(const Command& command, const CommandFlag& flag) {
  Words places;
  for (const std::string& name : flag.names) places.push_back(quoted(command.path + " " + name));
  return fmt::format("{}", fmt::join(places, " | "));
}

// A branch of a `case "$place $previous"` for each flag that takes a value.
template <class Branch>
std::string value_branches(std::span<const Command> commands, const Branch& branch) {
  std::string text;
  for (const Command& command : commands) {
    for (const CommandFlag& flag : command.flags) {
      if (flag.takes_value) text += branch(places_of(command, flag), flag);
    }
  }
  return text;
}

}  // namespace

// Where nothing is offered, `-o default` has bash complete names of files.
std::string bash_completion(std::span<const Command> commands) {
  const std::string values =
      value_branches(commands, [](const std::string& places, const CommandFlag& flag) {
        return fmt::format("    {}) words={} flags= ;;\n", places,
                           quoted(fmt::format("{}", fmt::join(flag.values, " "))));
      });
  std::string places;
  for (const Command& command : commands) {
    places +=
        fmt::format("        {}) words={}\n          flags={} ;;\n", quoted(command.path),
                    quoted(fmt::format("{}", fmt::join(subcommands_and_values(command), " "))),
                    quoted(fmt::format("{}", fmt::join(flag_names(command), " "))));
  }
  return fmt::format(R"(# Completion for bash. In ~/.bashrc:
#   source <(sightline completions bash)
_sightline() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}}
  local place=sightline word words= flags=
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD - 1}}"; do
    case "$place $word" in
      {}) place+=" $word" ;;
    esac
  done
  case "$place $previous" in
{}    *)
      case $place in
{}      esac
      ;;
  esac
  if [[ $current == -* ]]; then words=$flags; fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}}
complete -o default -F _sightline sightline
)",
                     fmt::join(paths_below_program(commands), " | "), values, places);
}

std::string zsh_completion(std::span<const Command> commands) {
  const std::string values = value_branches(commands, [](const std::string& places,
                                                         const CommandFlag& flag) {
    if (flag.values.empty()) return fmt::format("    ({}) _files; return ;;\n", places);
    return fmt::format("    ({}) compadd -- {}; return ;;\n", places, fmt::join(flag.values, " "));
  });
  std::string places;
  for (const Command& command : commands) {
    Words items = command.positional_values, flags;
    for (const Command& each : commands) {
      if (each.path == command.path + " " + each.name) {
        items.push_back(described(each.name, each.what));
      }
    }
    for (const CommandFlag& flag : command.flags) {
      for (const std::string& name : flag.names) flags.push_back(described(name, flag.what));
    }
    places += fmt::format("    ({})\n      items=({})\n      flags=({}) ;;\n", quoted(command.path),
                          fmt::join(items, "\n        "), fmt::join(flags, "\n        "));
  }
  return fmt::format(R"(#compdef sightline
# Completion for zsh. In ~/.zshrc, behind compinit:
#   source <(sightline completions zsh)
_sightline() {{
  local place=sightline word
  local -a items flags
  for word in "${{(@)words[2,CURRENT-1]}}"; do
    case "$place $word" in
      ({}) place="$place $word" ;;
    esac
  done
  case "$place ${{words[CURRENT-1]}}" in
{}  esac
  case $place in
{}  esac
  if [[ $PREFIX == -* ]]; then
    _describe flag flags
  elif (( $#items )); then
    _describe command items
  else
    _files
  fi
}}
if [[ $funcstack[1] == _sightline ]]; then _sightline "$@"; else compdef _sightline sightline; fi
)",
                     fmt::join(paths_below_program(commands), " | "), values, places);
}

std::string fish_completion(std::span<const Command> commands) {
  std::string lines;
  for (const Command& command : commands) {
    const std::string here =
        fmt::format("complete -c sightline -n '__sightline_at \"{}\"'", command.path);
    for (const Command& each : commands) {
      if (each.path != command.path + " " + each.name) continue;
      lines += fmt::format("{} -f -a {} -d {}\n", here, each.name, fish_quoted(each.what));
    }
    if (!command.positional_values.empty()) {
      lines += fmt::format("{} -f -a '{}'\n", here, fmt::join(command.positional_values, " "));
    }
    for (const CommandFlag& flag : command.flags) {
      std::string names, value;
      for (const std::string& name : flag.names) {
        names += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      }
      if (flag.takes_value) value = " -r";
      if (!flag.values.empty()) value = fmt::format(" -x -a '{}'", fmt::join(flag.values, " "));
      lines += fmt::format("{}{}{} -d {}\n", here, names, value, fish_quoted(flag.what));
    }
  }
  return fmt::format(R"(# Completion for fish:
#   sightline completions fish > ~/.config/fish/completions/sightline.fish
function __sightline_at
    set -l place sightline
    for word in (commandline -opc)[2..-1]
        switch "$place $word"
            case {}
                set place "$place $word"
        end
    end
    test "$place" = "$argv"
end
{})",
                     fmt::join(paths_below_program(commands), " "), lines);
}

}  // namespace sightline
