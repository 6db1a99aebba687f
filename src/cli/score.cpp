// sightline score --references R --results H

#include "base/json.h"
#include "base/log.h"
#include "cli/commands.h"
#include "metric/coco_files.h"
#include "metric/vqa_files.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace sightline {
namespace {

struct ScoreOptions {
  std::string references, results;
  bool json = false;
};

std::vector<std::pair<std::string, double>> answer_scores_in(const ScoreOptions& options) {
  const VqaAnswers answers = read_vqa_answers(options.references, options.results);
  if (answers.questions_without_result > 0) {
    log("{} of {} questions have no result; they are not scored", answers.questions_without_result,
        answers.questions_without_result + answers.cases.size());
  }
  return vqa_scores(answers);
}

std::vector<std::pair<std::string, double>> caption_scores_in(const ScoreOptions& options) {
  const CocoCaptions captions = read_coco_captions(options.references, options.results);
  if (captions.images_without_result > 0) {
    log("{} of {} images have no result; they are not scored", captions.images_without_result,
        captions.images_with_references);
  }
  const CaptionScores scores = score_captions(captions.cases);
  return {scores.corpus.begin(), scores.corpus.end()};
}

void run_score(const ScoreOptions& options) {
  const bool are_answers = holds_vqa_answers(read_json(options.references));
  const auto scores = are_answers ? answer_scores_in(options) : caption_scores_in(options);
  if (!options.json) {
    for (const auto& [name, value] : scores) fmt::print("{:<20}{:.4f}\n", name, value);
    return;
  }
  Json json;
  for (const auto& [name, value] : scores) json[name] = value;
  fmt::print("{}\n", json.dump(2));
}

}  // namespace

void add_score_command(CLI::App& app) {
  auto options = std::make_shared<ScoreOptions>();
  CLI::App* command = app.add_subcommand(
      "score",
      "Score captions as coco-caption does, or answers to questions as VQA's evaluator does.");
  command->footer(
      "Example:\n  sightline score --references references.json --results results.json"
      "\n\nBy the references: captions, or the annotations of VQA v2 with the answers of many.");
  command
      ->add_option("--references", options->references,
                   "{\"7\": [\"...\", ...]}, or the annotations file of COCO's captions or of VQA")
      ->required();
  command
      ->add_option(
          "--results", options->results,
          "[{\"image_id\": 7, \"caption\": \"...\"}]; of VQA [{\"question_id\": 7, \"answer\": "
          "\"...\"}]")
      ->required();
  command->add_flag("--json", options->json, "print the scores as JSON, in full precision");
  command->callback([options] { run_score(*options); });
}

}  // namespace sightline
