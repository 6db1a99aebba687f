#include "run/notes.h"

namespace sightline {

namespace {

bool is_better(double score, const std::optional<double>& best, const EvalRecipe& eval) {
  if (!best) return true;
  return eval.best == "validation_loss" ? score < *best : score > *best;
}

Json to_json(const std::optional<double>& number) { return number ? Json(*number) : Json(); }

std::optional<double> number_from_json(const Json& json) {
  if (json.is_null()) return std::nullopt;
  return json.get<double>();
}

}  // namespace

void Notes::begin_stage() {
  stage_best.reset();
  without_better = 0;
}

bool Notes::take(double score, int64_t step, const EvalRecipe& eval) {
  ++without_better;
  if (is_better(score, stage_best, eval)) {
    stage_best = score;
    without_better = 0;
  }
  if (!is_better(score, best, eval)) return false;
  best = score;
  best_step = step;
  return true;
}

bool Notes::out_of_patience(const EvalRecipe& eval) const {
  return eval.patience > 0 && without_better >= eval.patience;
}

Json to_json(const Notes& notes) {
  return {{"seconds", notes.seconds},
          {"best", to_json(notes.best)},
          {"best_step", notes.best_step},
          {"stage_best", to_json(notes.stage_best)},
          {"without_better", notes.without_better}};
}

Notes notes_from_json(const Json& json) {
  return {.seconds = json.at("seconds").get<double>(),
          .best = number_from_json(json.at("best")),
          .best_step = json.at("best_step").get<int64_t>(),
          .stage_best = number_from_json(json.at("stage_best")),
          .without_better = json.at("without_better").get<int64_t>()};
}

}  // namespace sightline
