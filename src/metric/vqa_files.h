#pragma once
// The two files that VQA's official evaluator compares.
//   references  {"annotations": [{"question_id": 7, "answer_type": "yes/no", "answers": [{"answer":
//               "yes"}, ...]}, ...], ...}, as VQA v2 has it
//   results     [{"question_id": 7, "answer": "yes"}, ...], one answer a question

#include "base/json.h"
#include "metric/answer_scores.h"

#include <filesystem>
#include <string>
#include <vector>

namespace sightline {

struct VqaAnswers {
  std::vector<AnswerCase> cases;   // in the order of the results
  std::vector<std::string> types;  // answer_type of each; "" where it has none
  size_t questions_without_result = 0;
};

// Whether these references are people's answers to questions, and not captions.
bool holds_vqa_answers(const Json& references);

// Errors name the file and the row: another shape, an id twice, a result without answers to compare
// with, no result at all.
VqaAnswers read_vqa_answers(const std::filesystem::path& references,
                            const std::filesystem::path& results);

// All metrics that say something about the answers, and VQA accuracy by type: "vqa_accuracy
// yes/no", one name and value each.
std::vector<std::pair<std::string, double>> vqa_scores(const VqaAnswers& answers);

}  // namespace sightline
