// sightline pool FOLDER...

#include "evaluate/pool.h"

#include "base/log.h"
#include "cli/commands.h"
#include "evaluate/result.h"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace sightline {
namespace {

struct PoolCommand {
  std::vector<std::string> folders;
  std::string output;
  bool json = false;
};

void run_pool(const PoolCommand& options) {
  const std::vector<std::filesystem::path> folders(options.folders.begin(), options.folders.end());
  if (!options.output.empty()) check_result_folder(options.output);
  const std::vector<TaskResult> results = pool_results(folders);
  if (!options.output.empty()) write_results(results, options.output);
  if (options.json) {
    fmt::print("{}\n", scores_json(results).dump(2));
  } else {
    fmt::print("{}", table_of(results, TableStyle::text));
  }
  if (!options.output.empty()) log("written to {}", options.output);
}

}  // namespace

void add_pool_command(CLI::App& app) {
  auto options = std::make_shared<PoolCommand>();
  CLI::App* command = app.add_subcommand(
      "pool", "Join results on separate pieces of a data set, as of folds, and score them as one.");
  command->footer(
      "Example:\n  sightline pool runs/vqarad-1 runs/vqarad-2 runs/vqarad-3 --output runs/vqarad"
      "\n\nEach example may stand in one piece alone. What is written is a result like any other, "
      "for compare too.");
  command->add_option("FOLDER", options->folders, "folders that evaluate wrote")
      ->required()
      ->expected(2, 1 << 20);
  command->add_option("--output", options->output, "folder to write; none: only print");
  command->add_flag("--json", options->json, "print the scores as JSON");
  command->callback([options] { run_pool(*options); });
}

}  // namespace sightline
