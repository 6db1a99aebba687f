#include "evaluate/scoring.h"

#include "metric/answer.h"
#include "metric/caption_scores.h"

#include <algorithm>

namespace sightline {

std::vector<Score> caption_scores(std::span<const Prediction> predictions) {
  std::vector<CaptionCase> cases;
  for (const Prediction& each : predictions) {
    cases.push_back({std::to_string(each.id), each.text, each.references});
  }
  std::vector<Score> scores;
  for (const auto& [name, value] : score_captions(cases).corpus) {
    if (name != "CIDEr-D") scores.push_back({name, value});  // the same number as "CIDEr"
  }
  return scores;
}

bool is_right_answer(const Prediction& prediction) {
  return std::any_of(
      prediction.references.begin(), prediction.references.end(),
      [&](const std::string& reference) { return exact_match(prediction.text, reference); });
}

}  // namespace sightline
