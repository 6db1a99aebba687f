#include "metric/rouge_l.h"

#include "base/error.h"

#include <algorithm>

namespace sightline {
namespace {

using Words = std::vector<std::string_view>;

// At every single space, so that "" is one empty word.
Words split_at_spaces(std::string_view caption) {
  Words words;
  size_t start = 0;
  for (size_t space = caption.find(' '); space != std::string_view::npos;
       space = caption.find(' ', start)) {
    words.push_back(caption.substr(start, space - start));
    start = space + 1;
  }
  words.push_back(caption.substr(start));
  return words;
}

size_t longest_common_subsequence(const Words& a, const Words& b) {
  std::vector<size_t> row(b.size() + 1, 0);  // row[j]: of a's words so far and b's first j
  for (const std::string_view word : a) {
    size_t diagonal = 0;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = word == b[j - 1] ? diagonal + 1 : std::max(above, row[j - 1]);
      diagonal = above;
    }
  }
  return row.back();
}

double score(const TokenizedCase& item) {
  constexpr double kBetaSquared = 1.2 * 1.2;
  const Words hypothesis = split_at_spaces(item.hypothesis);
  double precision = 0;
  double recall = 0;
  for (const std::string& caption : item.references) {
    const Words reference = split_at_spaces(caption);
    const auto common = static_cast<double>(longest_common_subsequence(reference, hypothesis));
    precision = std::max(precision, common / static_cast<double>(hypothesis.size()));
    recall = std::max(recall, common / static_cast<double>(reference.size()));
  }
  if (precision == 0 || recall == 0) return 0;
  return (1 + kBetaSquared) * precision * recall / (recall + kBetaSquared * precision);
}

}  // namespace

MetricScores rouge_l(std::span<const TokenizedCase> cases) {
  MetricScores scores;
  for (const TokenizedCase& item : cases) {
    SL_ASSERT(!item.references.empty(), "case {} has no reference", scores.cases.size());
    scores.cases.push_back(score(item));
    scores.corpus += scores.cases.back();
  }
  if (!cases.empty()) scores.corpus /= static_cast<double>(cases.size());
  return scores;
}

}  // namespace sightline
