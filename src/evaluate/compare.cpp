#include "evaluate/compare.h"

#include "base/error.h"
#include "evaluate/result.h"
#include "evaluate/scoring.h"

namespace sightline {
namespace {

void check_same_cases(const TaskResult& first, const TaskResult& second) {
  constexpr const char* kMend = "compare results of one task on the same data";
  check(first.kind == second.kind, "one result is of captions, the other of questions: {}", kMend);
  check(first.predictions.size() == second.predictions.size(),
        "one result has {} cases, the other {}: {}", first.predictions.size(),
        second.predictions.size(), kMend);
  for (size_t i = 0; i < first.predictions.size(); ++i) {
    const Prediction &a = first.predictions[i], &b = second.predictions[i];
    check(a.references == b.references, "case {} ({}) has other references than in {}: {}", a.id,
          a.where, b.where, kMend);
    // Captions may be asked for in other words; a question is what is answered.
    check(first.kind == TaskKind::caption || a.prompt == b.prompt,
          "case {} asks \"{}\" in one result and \"{}\" in the other: {}", a.id, a.prompt, b.prompt,
          kMend);
  }
}

using Scores = std::vector<SummedScore>;

// The i-th score of each system.
Scores column(const std::vector<Scores>& systems, size_t i) {
  Scores result;
  for (const Scores& each : systems) result.push_back(each[i]);
  return result;
}

std::string list_of(const std::vector<double>& differences) {
  std::string list;
  for (const double each : differences) list += fmt::format("{:+9.4f}", each);
  return list;
}

}  // namespace

std::vector<ComparedScore> compare(std::span<const ResultPair> pairs) {
  SL_ASSERT(!pairs.empty(), "nothing to compare");
  std::vector<Scores> firsts, seconds;
  for (const auto& [first, second] : pairs) {
    check_same_cases(pairs.front().first, first);
    check_same_cases(pairs.front().first, second);
    firsts.push_back(summed_scores(first.kind, first.predictions));
    seconds.push_back(summed_scores(second.kind, second.predictions));
  }
  std::vector<ComparedScore> scores;
  for (size_t i = 0; i < firsts.front().size(); ++i) {
    const Scores of_first = column(firsts, i), of_second = column(seconds, i);
    const SummedScore first = mean_of(of_first), second = mean_of(of_second);
    scores.push_back({.name = first.name,
                      .first = score_of(first),
                      .second = score_of(second),
                      .difference = paired_bootstrap(first, second)});
    for (size_t p = 0; p < pairs.size(); ++p) {
      scores.back().differences.push_back(score_of(of_second[p]) - score_of(of_first[p]));
    }
  }
  return scores;
}

std::string comparison_text(std::span<const ResultPair> pairs,
                            const std::vector<ComparedScore>& scores) {
  const bool several = pairs.size() > 1;
  std::string text = fmt::format(
      "first:  {}second: {}{}{:<15}{:>8}{:>8}{:>12}   {}\n", heading_of(pairs.front().first),
      heading_of(pairs.front().second),
      several ? fmt::format("means of {} pairs, and each pair's difference\n", pairs.size()) : "",
      "", "first", "second", "difference", "95 % interval");
  for (const ComparedScore& each : scores) {
    const auto& [low, high] = each.difference.interval;
    const char* verdict = low > 0 ? "  second is better" : high < 0 ? "  first is better" : "";
    text += fmt::format("{:<15}{:>8.4f}{:>8.4f}{:>+12.4f}   [{:+.4f}, {:+.4f}]{}{}\n", each.name,
                        each.first, each.second, each.difference.value, low, high,
                        several ? list_of(each.differences) : "", verdict);
  }
  return text +
         fmt::format(
             "\nIntervals: {} paired resamples of the examples; CIDEr's word weights are "
             "those of the whole set.\n{}",
             BootstrapOptions().resamples,
             several ? "What other seeds would change shows in the pairs' differences.\n" : "");
}

}  // namespace sightline
