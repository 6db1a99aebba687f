#include "metric/answer_scores.h"

#include "base/commonest.h"
#include "base/error.h"
#include "metric/answer.h"
#include "metric/caption_scores.h"
#include "metric/token_overlap.h"
#include "metric/vqa_accuracy.h"

#include <algorithm>
#include <optional>

namespace sightline {
namespace {

constexpr size_t kFewestAnswers = 4;  // with fewer, whoever answers like all others is not right

YesNo expected_of(const AnswerCase& each) { return yes_no_expected(commonest(each.references)); }

// Nothing where the metric does not look at the case.
std::optional<double> number_of(std::string_view metric, const AnswerCase& each) {
  if (metric == "vqa_accuracy") return vqa_accuracy(each.answer, each.references);
  if (metric == "exact_match") return exact_match(each.answer, each.references) ? 1.0 : 0.0;
  if (metric == "token_f1") return token_overlap(each.answer, each.references).f1;
  if (metric == "token_recall") return token_overlap(each.answer, each.references).recall;
  SL_ASSERT(metric == "yes_no_accuracy", "no metric of answers is called {}", metric);
  const YesNo expected = expected_of(each);
  if (expected == YesNo::neither) return std::nullopt;
  return yes_no_said(each.answer) == expected ? 1.0 : 0.0;
}

}  // namespace

std::string why_not(std::string_view metric, std::span<const AnswerCase> cases) {
  SL_ASSERT(std::ranges::find(kAnswerMetrics, metric) != kAnswerMetrics.end(),
            "no metric of answers is called {}", metric);
  if (metric == "vqa_accuracy") {
    const auto few = std::ranges::find_if(
        cases, [](const AnswerCase& each) { return each.references.size() < kFewestAnswers; });
    if (few == cases.end()) return "";
    return fmt::format("it compares with at least {} people's answers, and {} has {}",
                       kFewestAnswers, few->where, few->references.size());
  }
  if (metric == "yes_no_accuracy" && std::ranges::none_of(cases, [](const AnswerCase& each) {
        return expected_of(each) != YesNo::neither;
      })) {
    return "no question expects \"yes\" or \"no\"";
  }
  return "";
}

SummedScore answer_score(std::string_view metric, std::span<const AnswerCase> cases) {
  check(!cases.empty(), "there are no answers to score");
  for (const AnswerCase& each : cases) {
    check(!each.references.empty(), "{}: has no answer to compare with", each.where);
  }
  if (metric == "Bleu_1") {
    std::vector<CaptionCase> captions;
    for (const AnswerCase& each : cases) {
      captions.push_back({each.where, each.answer, each.references});
    }
    return summed_bleu(1, captions);
  }
  std::vector<std::vector<double>> terms;
  for (const AnswerCase& each : cases) {
    const std::optional<double> number = number_of(metric, each);
    terms.push_back({number.value_or(0.0), number ? 1.0 : 0.0});
  }
  return mean_score(std::string(metric), std::move(terms));
}

}  // namespace sightline
