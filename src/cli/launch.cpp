// sightline launch: a training, or a recaptioning, on several ranks of this machine or of several.

#include "base/error.h"
#include "cli/commands.h"
#include "dist/launcher.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include <CLI/CLI.hpp>

namespace sightline {
namespace {

struct LaunchArguments {
  int64_t processes = 1, machines = 1, machine = 0, restarts = 0, grace = 20, silence = 60;
  std::string rendezvous;
  std::vector<std::string> words;
};

// "host:29500", "[fe80::1]:29500".
void read_rendezvous(const LaunchArguments& arguments, LaunchOptions& options) {
  const std::string& text = arguments.rendezvous;
  const size_t colon = text.rfind(':');
  const std::string port = colon == std::string::npos ? "" : text.substr(colon + 1);
  const char* end = port.data() + port.size();
  const auto [rest, code] = std::from_chars(port.data(), end, options.meeting_port);
  if (colon == std::string::npos || colon == 0 || code != std::errc() || rest != end ||
      options.meeting_port < 1 || options.meeting_port > 65535) {
    fail_usage(
        "--rendezvous \"{}\": HOST:PORT is wanted, the address of the machine with node rank 0 and "
        "a free port there, such as node1:29500",
        text);
  }
  options.meeting_host = text.substr(0, colon);
  if (options.meeting_host.starts_with('[') && options.meeting_host.ends_with(']')) {
    options.meeting_host = options.meeting_host.substr(1, options.meeting_host.size() - 2);
  }
}

LaunchOptions options_of(const LaunchArguments& arguments) {
  LaunchOptions options{.restarts = arguments.restarts,
                        .processes = arguments.processes,
                        .machines = arguments.machines,
                        .machine = arguments.machine,
                        .grace = std::chrono::seconds(arguments.grace),
                        .silence = std::chrono::seconds(arguments.silence)};
  if (arguments.machine >= arguments.machines) {
    fail_usage("--node-rank {}: of --nnodes {} they are 0 to {}", arguments.machine,
               arguments.machines, arguments.machines - 1);
  }
  if (!arguments.rendezvous.empty()) {
    read_rendezvous(arguments, options);
  } else if (arguments.machines > 1) {
    fail_usage("--nnodes {}: say with --rendezvous HOST:PORT where the machines meet",
               arguments.machines);
  }
  const std::vector<std::string>& words = arguments.words;
  if (words.empty() || (words.front() != "train" && words.front() != "recaption")) {
    fail_usage(
        "launch: {} `train` and `recaption` run on several ranks; write them behind \"--\": "
        "sightline launch --nproc 2 -- train RECIPE",
        words.empty() ? "what is to run is missing;" : words.front() + ": only");
  }
  options.command = {std::filesystem::read_symlink("/proc/self/exe").string()};
  options.command.insert(options.command.end(), words.begin(), words.end());
  options.restart_command = options.command;
  if (std::ranges::find(words, "--resume") == words.end()) {
    options.restart_command.emplace_back("--resume");
  }
  return options;
}

}  // namespace

void add_launch_command(CLI::App& app) {
  const auto arguments = std::make_shared<LaunchArguments>();
  CLI::App* command = app.add_subcommand(
      "launch",
      "Train, or recaption, on several ranks: processes that share the work (docs/ranks.md).");
  command->footer(
      "Examples:"
      "\n  sightline launch --nproc 2 -- train recipes/flickr8k.toml"
      "\n  sightline launch --nproc 8 --nnodes 2 --node-rank 0 --rendezvous node1:29500 "
      "--restarts 3 -- train recipes/flickr8k.toml"
      "\n\nThe second is given on each machine, with its own --node-rank. Where torchrun, mpirun "
      "or srun starts the ranks, they run `sightline train` or `recaption` itself.");
  command
      ->add_option("--nproc", arguments->processes, "ranks on this machine; they share its cores")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command->add_option("--nnodes", arguments->machines, "machines, each with as many ranks")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  command->add_option("--node-rank", arguments->machine, "this machine's number, from 0")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  command->add_option("--rendezvous", arguments->rendezvous,
                      "HOST:PORT where the ranks meet: on the machine with node rank 0");
  command
      ->add_option("--restarts", arguments->restarts,
                   "after a failure start all ranks again with --resume, at most so many times")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  command
      ->add_option("--grace", arguments->grace,
                   "seconds for the other ranks to end after a failure, then they are killed")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  command
      ->add_option("--silence", arguments->silence,
                   "seconds without a sign of life (its process stopped, or stuck in the system) "
                   "after which a rank is killed")
      ->check(CLI::Range(2, 24 * 3600))
      ->capture_default_str();
  command
      ->add_option("COMMAND", arguments->words,
                   "train or recaption and its arguments, behind \"--\"")
      ->expected(-1);
  command->callback([arguments] { launch_ranks(options_of(*arguments)); });
}

}  // namespace sightline
