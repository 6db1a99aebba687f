// The files of VQA's official evaluator.

#include "metric/vqa_files.h"

#include "base/error.h"
#include "tests/support.h"

#include <cmath>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using testing::HasSubstr;

class VqaFiles : public testing::Test {
 protected:
  VqaAnswers read(const Json& references, const Json& results) const {
    write_json(references_, references);
    write_json(results_, results);
    return read_vqa_answers(references_, results_);
  }
  std::string mistake(std::string_view references, std::string_view results) const {
    try {
      read(parse_json(references, "r"), parse_json(results, "h"));
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  test::TemporaryFolder folder_;
  std::filesystem::path references_ = folder_.path() / "references.json";
  std::filesystem::path results_ = folder_.path() / "results.json";
};

// As its own numbers, percentages of 6 digits.
TEST_F(VqaFiles, GiveTheOfficialAccuracies) {
  const auto file = test::data_folder() / "metrics" / "vqa_accuracy_synthetic_expected.json";
  SIGHTLINE_NEEDS(file);
  const Json expected = read_json(file);
  const VqaAnswers answers = read({{"annotations", expected["gts"]}}, expected["res"]);
  EXPECT_EQ(answers.cases.size(), 200u);
  EXPECT_EQ(answers.questions_without_result, 0u);
  std::map<std::string, double> scores;
  for (const auto& [name, value] : vqa_scores(answers))
    scores[name] = std::round(value * 1e8) / 1e6;
  EXPECT_EQ(scores.at("vqa_accuracy"), expected["accuracy"]["overall"]);
  for (const auto& [type, accuracy] : expected["accuracy"]["perAnswerType"].items()) {
    EXPECT_EQ(scores.at("vqa_accuracy " + type), accuracy) << type;
  }
}

TEST_F(VqaFiles, MistakesNameTheRow) {
  const std::string_view good =
      R"({"annotations": [{"question_id": 1, "answers": [{"answer": "yes"}]}]})";
  EXPECT_EQ(mistake(good, R"([{"question_id": 1, "answer": "no"}])"), "");
  EXPECT_THAT(mistake("[]", "[]"), HasSubstr("references.json: expected"));
  EXPECT_THAT(mistake(good, "[]"), HasSubstr("results.json: expected a list"));
  EXPECT_THAT(mistake(good, R"([{"question_id": 2, "answer": "no"}])"),
              HasSubstr("row 0: question 2 has no answers"));
  EXPECT_THAT(mistake(good, R"([{"question_id": 1, "answer": "no"}, {"question_id": 1,
                                "answer": "no"}])"),
              HasSubstr("row 1: question 1 is answered already"));
  EXPECT_THAT(mistake(good, R"([{"question_id": 1}])"), HasSubstr("\"answer\""));
  EXPECT_THAT(mistake(R"({"annotations": [{"question_id": 1, "answers": []}]})", "[]"),
              HasSubstr("annotations[0]: \"answers\""));
}

}  // namespace
}  // namespace sightline
