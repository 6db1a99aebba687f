// sightline score --references R --results H

#include "base/json.h"
#include "base/log.h"
#include "cli/commands.h"
#include "metric/coco_files.h"

#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace sightline {
namespace {

struct ScoreOptions {
  std::string references, results;
  bool json = false;
};

void run_score(const ScoreOptions& options) {
  const CocoCaptions captions = read_coco_captions(options.references, options.results);
  if (captions.images_without_result > 0) {
    log("{} of {} images have no result; they are not scored", captions.images_without_result,
        captions.images_with_references);
  }
  const CaptionScores scores = score_captions(captions.cases);
  if (!options.json) {
    for (const auto& [name, value] : scores.corpus) fmt::print("{:<15}{:.4f}\n", name, value);
    return;
  }
  Json json;
  for (const auto& [name, value] : scores.corpus) json[name] = value;
  fmt::print("{}\n", json.dump(2));
}

}  // namespace

void add_score_command(CLI::App& app) {
  auto options = std::make_shared<ScoreOptions>();
  CLI::App* command = app.add_subcommand(
      "score", "Score captions against references: the numbers and names of coco-caption.");
  command->footer(
      "Example:\n  sightline score --references references.json --results results.json");
  command
      ->add_option("--references", options->references,
                   "{\"7\": [\"...\", ...]}, or COCO's annotations file")
      ->required();
  command->add_option("--results", options->results, "[{\"image_id\": 7, \"caption\": \"...\"}]")
      ->required();
  command->add_flag("--json", options->json, "print the scores as JSON, in full precision");
  command->callback([options] { run_score(*options); });
}

}  // namespace sightline
