#include "evaluate/scoring.h"

#include "metric/answer_scores.h"
#include "metric/caption_scores.h"

#include <map>

namespace sightline {
namespace {

CaptionScores caption_scores(std::span<const Prediction> predictions) {
  std::vector<CaptionCase> cases;
  for (const Prediction& each : predictions) {
    cases.push_back({std::to_string(each.id), each.text, each.references});
  }
  return score_captions(cases);
}

std::vector<SummedScore> answer_scores(std::span<const Prediction> predictions) {
  std::vector<AnswerCase> cases;
  for (const Prediction& each : predictions) {
    cases.push_back({each.where, each.text, each.references});
  }
  std::vector<SummedScore> scores;
  for (const std::string_view metric : kAnswerMetrics) {
    if (why_not(metric, cases).empty()) scores.push_back(answer_score(metric, cases));
  }
  return scores;
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
  if (kind == TaskKind::question) return over_examples(answer_scores(predictions), predictions);
  return over_examples(summed_scores(caption_scores(predictions)), predictions);
}

std::vector<Score> scores_of(TaskKind kind, std::span<const Prediction> predictions) {
  std::vector<Score> result;
  if (kind == TaskKind::question) {
    for (const SummedScore& each : summed_scores(kind, predictions)) {
      result.push_back(score_with_interval(each, score_of(each)));
    }
    return result;
  }
  const CaptionScores scores = caption_scores(predictions);
  for (const SummedScore& each : over_examples(summed_scores(scores), predictions)) {
    result.push_back(score_with_interval(each, scores[each.name]));
  }
  return result;
}

std::vector<KindScore> scores_by_kind(std::span<const Prediction> predictions) {
  std::map<std::string, std::vector<Prediction>> by_kind;
  for (const Prediction& each : predictions) {
    if (!each.kind.empty()) by_kind[each.kind].push_back(each);
  }
  std::vector<KindScore> result;
  for (const auto& [kind, of_kind] : by_kind) {
    KindScore scores{.kind = kind, .count = static_cast<int64_t>(of_kind.size())};
    for (const SummedScore& each : answer_scores(of_kind)) {
      scores.scores.push_back({.name = each.name, .value = score_of(each)});
    }
    result.push_back(std::move(scores));
  }
  return result;
}

}  // namespace sightline
