#include "metric/vqa_files.h"

#include "base/error.h"

#include <map>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace sightline {
namespace {

struct Annotation {
  std::vector<std::string> answers;
  std::string type;
};
using Annotations = std::unordered_map<int64_t, Annotation>;

Annotations read_annotations(const std::filesystem::path& path) {
  const Json json = read_json(path);
  check(holds_vqa_answers(json),
        "{}: expected {{\"annotations\": [{{\"question_id\": ..., \"answers\": [...]}}]}}",
        path.string());
  Annotations result;
  for (size_t i = 0; i < json["annotations"].size(); ++i) {
    const Json& row = json["annotations"][i];
    const std::string where = fmt::format("{}: annotations[{}]", path.string(), i);
    const auto id = json_get<int64_t>(row, "question_id", where);
    const auto [found, is_new] = result.try_emplace(id);
    check(is_new, "{}: the question {} is there already", where, id);
    found->second.type = json_get_or<std::string>(row, "answer_type", "", where);
    check(row.contains("answers") && row["answers"].is_array() && !row["answers"].empty(),
          "{}: \"answers\" is not a list with something in it", where);
    for (const Json& answer : row["answers"]) {
      found->second.answers.push_back(json_get<std::string>(answer, "answer", where));
    }
  }
  return result;
}

}  // namespace

bool holds_vqa_answers(const Json& references) {
  if (!references.is_object() || !references.contains("annotations")) return false;
  const Json& rows = references["annotations"];
  return rows.is_array() && !rows.empty() && rows[0].is_object() && rows[0].contains("question_id");
}

VqaAnswers read_vqa_answers(const std::filesystem::path& references,
                            const std::filesystem::path& results) {
  const Annotations known = read_annotations(references);
  const std::string file = results.string();
  const Json json = read_json(results);
  check(json.is_array() && !json.empty(),
        "{}: expected a list of {{\"question_id\": ..., \"answer\": \"...\"}}", file);
  VqaAnswers answers;
  std::unordered_set<int64_t> seen;
  for (size_t i = 0; i < json.size(); ++i) {
    const std::string where = fmt::format("{}: row {}", file, i);
    const auto id = json_get<int64_t>(json[i], "question_id", where);
    const auto found = known.find(id);
    check(found != known.end(), "{}: question {} has no answers in {}", where, id,
          references.string());
    check(seen.insert(id).second, "{}: question {} is answered already", where, id);
    answers.cases.push_back(
        {where, json_get<std::string>(json[i], "answer", where), found->second.answers});
    answers.types.push_back(found->second.type);
  }
  answers.questions_without_result = known.size() - answers.cases.size();
  return answers;
}

std::vector<std::pair<std::string, double>> vqa_scores(const VqaAnswers& answers) {
  std::vector<std::pair<std::string, double>> scores;
  for (const std::string_view metric : kAnswerMetrics) {
    if (!why_not(metric, answers.cases).empty()) continue;
    scores.emplace_back(metric, score_of(answer_score(metric, answers.cases)));
  }
  std::map<std::string, std::vector<AnswerCase>> by_type;
  for (size_t i = 0; i < answers.cases.size(); ++i) {
    if (!answers.types[i].empty()) by_type[answers.types[i]].push_back(answers.cases[i]);
  }
  for (const auto& [type, cases] : by_type) {
    if (!why_not("vqa_accuracy", cases).empty()) continue;
    scores.emplace_back("vqa_accuracy " + type, score_of(answer_score("vqa_accuracy", cases)));
  }
  return scores;
}

}  // namespace sightline
