// sightline compare FIRST SECOND [FIRST SECOND]...

#include "evaluate/compare.h"

#include "base/error.h"
#include "base/json.h"
#include "cli/commands.h"
#include "evaluate/result.h"

#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace sightline {
namespace {

struct CompareOptions {
  std::vector<std::string> folders;
  bool json = false;
};

std::vector<ResultPair> pairs_in(const std::vector<std::string>& folders) {
  if (folders.size() < 2 || folders.size() % 2 != 0) {
    fail_usage("compare: {} folders; name two, or further pairs of two", folders.size());
  }
  std::vector<ResultPair> pairs;
  for (size_t i = 0; i < folders.size(); i += 2) {
    pairs.push_back({read_result(folders[i]), read_result(folders[i + 1])});
  }
  return pairs;
}

Json json_of(const std::vector<ComparedScore>& scores) {
  Json json;
  for (const ComparedScore& each : scores) {
    const auto& [low, high] = each.difference.interval;
    json[each.name] = {{"first", each.first},
                       {"second", each.second},
                       {"difference", each.difference.value},
                       {"interval", {low, high}},
                       {"share_above", each.difference.share_above},
                       {"differences", each.differences}};
  }
  return json;
}

void run_compare(const CompareOptions& options) {
  const std::vector<ResultPair> pairs = pairs_in(options.folders);
  const std::vector<ComparedScore> scores = compare(pairs);
  if (options.json) {
    fmt::print("{}\n", json_of(scores).dump(2));
  } else {
    fmt::print("{}", comparison_text(pairs, scores));
  }
}

}  // namespace

void add_compare_command(CLI::App& app) {
  auto options = std::make_shared<CompareOptions>();
  CLI::App* command = app.add_subcommand(
      "compare", "Compare two results of one task: the difference and how sure it is.");
  command->footer(
      "Examples:\n  sightline compare runs/evaluate/a/flickr8k-dev runs/evaluate/b/flickr8k-dev"
      "\n  sightline compare runs/a-0 runs/b-0 runs/a-1 runs/b-1 runs/a-2 runs/b-2"
      "\n\nIntervals are of the paired bootstrap: both are scored on the same resampled examples. "
      "Further pairs are the same two systems with other seeds: compared are the means.");
  command
      ->add_option(
          "RESULTS", options->folders,
          "two folders that evaluate wrote, of one task and data; further pairs may follow")
      ->required()
      ->expected(2, 1 << 20);
  command->add_flag("--json", options->json, "print the comparison as JSON, in full precision");
  command->callback([options] { run_compare(*options); });
}

}  // namespace sightline
