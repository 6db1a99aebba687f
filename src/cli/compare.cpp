// sightline compare FIRST SECOND

#include "evaluate/compare.h"

#include "base/error.h"
#include "base/json.h"
#include "cli/commands.h"
#include "evaluate/result.h"

#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace sightline {
namespace {

struct CompareOptions {
  std::string first, second;
  bool json = false;
};

TaskResult result_at(const std::string& folder) {
  if (!std::filesystem::exists(std::filesystem::path(folder) / "scores.json")) {
    fail_usage("{}: no scores.json in it; a folder that `evaluate` wrote is meant", folder);
  }
  return read_result(folder);
}

Json json_of(const std::vector<ComparedScore>& scores) {
  Json json;
  for (const ComparedScore& each : scores) {
    const auto& [low, high] = each.difference.interval;
    json[each.name] = {{"first", each.first},
                       {"second", each.second},
                       {"difference", each.difference.value},
                       {"interval", {low, high}},
                       {"share_above", each.difference.share_above}};
  }
  return json;
}

void run_compare(const CompareOptions& options) {
  const TaskResult first = result_at(options.first), second = result_at(options.second);
  const std::vector<ComparedScore> scores = compare(first, second);
  if (options.json) {
    fmt::print("{}\n", json_of(scores).dump(2));
  } else {
    fmt::print("{}", comparison_text(first, second, scores));
  }
}

}  // namespace

void add_compare_command(CLI::App& app) {
  auto options = std::make_shared<CompareOptions>();
  CLI::App* command = app.add_subcommand(
      "compare", "Compare two results of one task: the difference and how sure it is.");
  command->footer(
      "Example:\n  sightline compare runs/evaluate/a/flickr8k-dev runs/evaluate/b/flickr8k-dev"
      "\n\nIntervals are of the paired bootstrap: both are scored on the same resampled examples.");
  command->add_option("FIRST", options->first, "a folder that evaluate wrote")->required();
  command->add_option("SECOND", options->second, "another, of the same task and data")->required();
  command->add_flag("--json", options->json, "print the comparison as JSON, in full precision");
  command->callback([options] { run_compare(*options); });
}

}  // namespace sightline
