// Against the official evaluator: what it made of the answers here, and its numbers in the files of
// real data.

#include "metric/vqa_accuracy.h"

#include "base/json.h"
#include "tests/support.h"

#include <cmath>
#include <map>

#include <gtest/gtest.h>

namespace sightline {
namespace {

TEST(VqaNormalForm, IsTheOfficialOne) {
  const std::vector<std::pair<std::string, std::string>> pairs = {
      {"Yes.", "yes"},
      {"  the Red, white and blue  ", "red white and blue"},
      {"1,000", "1000"},
      {"1,000 (approx.)", "1000 approx"},
      {"1,2-3 x/y", "123 xy"},
      {"black/white", "black white"},
      {"t-shirt", "t shirt"},
      {"t -shirt", "t shirt"},
      {"room_divider, bed", "room divider bed"},
      {"it's 5.5.", "it's 5.5"},
      {"U.S.A.", "usa"},
      {"3 .5", "3 .5"},
      {"-5", "5"},
      {"none", "0"},
      {"Zero cars", "0 cars"},
      {"no-one", "no 1"},
      {"Dont, wont", "don't won't"},
      {"wouldnt've", "wouldn't've"},
      {"ow's'at", "'ow's'at"},
      {"somebody'd", "somebodyd"},
      {"somebodys", "somebody's"},
      {"Im", "im"},
      {"oclock", "o'clock"},
      {"an apple & the pear", "apple & pear"},
      {"left\tlung\nright", "left lung right"},
      {"( yes )", "yes"},
      {"what?!", "what"},
      {"12:30", "12:30"},
      {"\xc3\x89tat.", "\xc3\xa9tat"},
      {"\xd9\xa3,\xd9\xa4 x-y", "\xd9\xa3\xd9\xa4 xy"},  // Arabic digits are digits
      {"x" + std::string(40, '.'), "x" + std::string(8, '.')},
      {"the", ""},
      {". . .", ""},
      {"", ""}};
  for (const auto& [answer, expected] : pairs) EXPECT_EQ(vqa_normal_form(answer), expected);
}

std::vector<std::string> people(std::initializer_list<std::pair<const char*, int>> said) {
  std::vector<std::string> answers;
  for (const auto& [answer, times] : said) answers.insert(answers.end(), times, answer);
  return answers;
}

TEST(VqaAccuracy, IsTheMeanOverTheAnswersLeftOut) {
  const auto accuracy_with = [](int others) {
    return vqa_accuracy("a cat", people({{"Cat.", others}, {"dog", 10 - others}}));
  };
  EXPECT_DOUBLE_EQ(accuracy_with(1), 0.3);
  EXPECT_DOUBLE_EQ(accuracy_with(2), 0.6);
  EXPECT_DOUBLE_EQ(accuracy_with(3), 0.9);
  EXPECT_DOUBLE_EQ(accuracy_with(4), 1.0);
  EXPECT_DOUBLE_EQ(vqa_accuracy("cow", people({{"cat", 9}, {"dog", 1}})), 0.0);
}

TEST(VqaAccuracy, NothingIsNormalisedWhereAllAgree) {
  EXPECT_DOUBLE_EQ(vqa_accuracy(" yes\n", people({{"yes", 10}})), 1.0);
  EXPECT_DOUBLE_EQ(vqa_accuracy("Yes", people({{"yes", 10}})), 0.0);
  EXPECT_DOUBLE_EQ(vqa_accuracy("yes", people({{"Yes.", 10}})), 0.0);
  EXPECT_DOUBLE_EQ(vqa_accuracy("Yes", people({{"yes", 9}, {"yes!", 1}})), 1.0);
}

TEST(VqaAccuracy, TheNormalFormsOfRealAnswers) {
  const auto file = test::data_folder() / "metrics" / "answer_normalisation_expected.json";
  SIGHTLINE_NEEDS(file);
  const Json pairs = read_json(file)["pairs"];
  ASSERT_EQ(pairs.size(), 6933u);
  size_t same = 0;
  for (const Json& pair : pairs) {
    const bool is_same = vqa_normal_form(pair[0].get<std::string>()) == pair[1];
    EXPECT_TRUE(is_same) << pair;
    same += is_same ? 1 : 0;
  }
  EXPECT_EQ(same, pairs.size());
}

double rounded(double share) { return std::round(share * 1e8) / 1e6; }  // a percentage, 6 digits

TEST(VqaAccuracy, TheOfficialAccuracies) {
  const auto file = test::data_folder() / "metrics" / "vqa_accuracy_synthetic_expected.json";
  SIGHTLINE_NEEDS(file);
  const Json json = read_json(file);
  ASSERT_EQ(json["gts"].size(), 200u);
  double sum = 0;
  std::map<std::string, std::vector<double>> by_type;
  for (size_t i = 0; i < json["gts"].size(); ++i) {
    const Json &question = json["gts"][i], &result = json["res"][i];
    ASSERT_EQ(question["question_id"], result["question_id"]);
    std::vector<std::string> answers;
    for (const Json& answer : question["answers"]) answers.push_back(answer["answer"]);
    ASSERT_EQ(answers.size(), 10u);
    const double accuracy = vqa_accuracy(result["answer"].get<std::string>(), answers);
    EXPECT_EQ(rounded(accuracy), json["per_question"][question["question_id"].dump()]) << question;
    sum += accuracy;
    by_type[question["answer_type"]].push_back(accuracy);
  }
  EXPECT_EQ(rounded(sum / 200), json["accuracy"]["overall"]);
  for (const auto& [type, accuracies] : by_type) {
    double of_type = 0;
    for (const double each : accuracies) of_type += each;
    EXPECT_EQ(rounded(of_type / static_cast<double>(accuracies.size())),
              json["accuracy"]["perAnswerType"][type])
        << type;
  }
}

}  // namespace
}  // namespace sightline
