#pragma once
// All metrics of answers to questions, each under its own name and by its own definition:
//   vqa_accuracy     of the ten answers that people gave (metric/vqa_accuracy.h). Where every
//                    question has at least four.
//   exact_match      share of the answers that equal a reference once both are normalised
//                    (metric/answer.h).
//   token_f1         words shared with the best reference, mean over the questions
//   token_recall     (metric/token_overlap.h). "Open" accuracy of medical work is this recall.
//   Bleu_1           of the corpus, as coco-caption computes it (metric/bleu.h).
//   yes_no_accuracy  of the questions whose commonest reference is "yes" or "no", the share whose
//                    answer begins with it. Where there is such a question.

#include "metric/bootstrap.h"

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sightline {

struct AnswerCase {
  std::string where;  // names it in errors
  std::string answer;
  std::vector<std::string> references;  // at least one
};

inline constexpr std::array<std::string_view, 6> kAnswerMetrics = {
    "vqa_accuracy", "exact_match", "token_f1", "token_recall", "Bleu_1", "yes_no_accuracy"};

// Why the metric says nothing about these cases; "" where it does. An unknown name is asserted not
// to come.
std::string why_not(std::string_view metric, std::span<const AnswerCase> cases);

// Of no case at all, or of a case without a reference, an Error. Terms of cases that the metric
// does not look at are zero; the value of a resample that has no other is 0.
SummedScore answer_score(std::string_view metric, std::span<const AnswerCase> cases);

}  // namespace sightline
