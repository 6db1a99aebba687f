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

}  // namespace

std::vector<ComparedScore> compare(const TaskResult& first, const TaskResult& second) {
  check_same_cases(first, second);
  const auto firsts = summed_scores(first.kind, first.predictions);
  const auto seconds = summed_scores(second.kind, second.predictions);
  std::vector<ComparedScore> scores;
  for (size_t i = 0; i < firsts.size(); ++i) {
    scores.push_back({firsts[i].name, score_of(firsts[i]), score_of(seconds[i]),
                      paired_bootstrap(firsts[i], seconds[i])});
  }
  return scores;
}

std::string comparison_text(const TaskResult& first, const TaskResult& second,
                            const std::vector<ComparedScore>& scores) {
  std::string text =
      fmt::format("first:  {}second: {}\n{:<15}{:>8}{:>8}{:>12}   {}\n", heading_of(first),
                  heading_of(second), "", "first", "second", "difference", "95 % interval");
  for (const ComparedScore& each : scores) {
    const auto& [low, high] = each.difference.interval;
    const char* verdict = low > 0 ? "  second is better" : high < 0 ? "  first is better" : "";
    text += fmt::format("{:<15}{:>8.4f}{:>8.4f}{:>+12.4f}   [{:+.4f}, {:+.4f}]{}\n", each.name,
                        each.first, each.second, each.difference.value, low, high, verdict);
  }
  return text + fmt::format(
                    "\nIntervals: {} paired resamples of the examples; CIDEr's word weights are "
                    "those of the whole set.\n",
                    BootstrapOptions().resamples);
}

}  // namespace sightline
