#include "evaluate/scoring.h"

#include "metric/answer.h"
#include "metric/caption_scores.h"

namespace sightline {
namespace {

CaptionScores caption_scores(std::span<const Prediction> predictions) {
  std::vector<CaptionCase> cases;
  for (const Prediction& each : predictions) {
    cases.push_back({std::to_string(each.id), each.text, each.references});
  }
  return score_captions(cases);
}

SummedScore accuracy(std::span<const Prediction> predictions) {
  std::vector<std::vector<double>> terms;
  for (const Prediction& each : predictions)
    terms.push_back({is_right_answer(each) ? 1.0 : 0.0, 1});
  return mean_score("accuracy", std::move(terms));
}

// The example of each prediction, from 0: an example's predictions stand together.
std::vector<size_t> examples_of(std::span<const Prediction> predictions) {
  std::vector<size_t> examples;
  for (size_t i = 0; i < predictions.size(); ++i) {
    const bool same = i > 0 && predictions[i].where == predictions[i - 1].where;
    examples.push_back(i == 0 ? 0 : examples.back() + (same ? 0 : 1));
  }
  return examples;
}

std::vector<SummedScore> over_examples(const std::vector<SummedScore>& scores,
                                       std::span<const Prediction> predictions) {
  const std::vector<size_t> examples = examples_of(predictions);
  std::vector<SummedScore> result;
  for (const SummedScore& each : scores) result.push_back(grouped(each, examples));
  return result;
}

Score score_with_interval(const SummedScore& score, double value) {
  Score result{.name = score.name, .value = value};
  if (score.terms.size() > 1) result.interval = bootstrap_interval(score);
  return result;
}

}  // namespace

std::vector<SummedScore> summed_scores(TaskKind kind, std::span<const Prediction> predictions) {
  if (kind == TaskKind::question) return over_examples({accuracy(predictions)}, predictions);
  return over_examples(summed_scores(caption_scores(predictions)), predictions);
}

std::vector<Score> scores_of(TaskKind kind, std::span<const Prediction> predictions) {
  std::vector<Score> result;
  if (kind == TaskKind::question) {
    const SummedScore score = summed_scores(kind, predictions).front();
    result.push_back(score_with_interval(score, score_of(score)));
    return result;
  }
  const CaptionScores scores = caption_scores(predictions);
  for (const SummedScore& each : over_examples(summed_scores(scores), predictions)) {
    result.push_back(score_with_interval(each, scores[each.name]));
  }
  return result;
}

bool is_right_answer(const Prediction& prediction) {
  return exact_match(prediction.text, prediction.references);
}

}  // namespace sightline
