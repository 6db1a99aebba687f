// Tasks of questions on data with people's answers and with kinds; their baselines.

#include "base/error.h"
#include "evaluate/baselines.h"
#include "evaluate/cases.h"
#include "evaluate/scoring.h"
#include "tests/data/support.h"
#include "tests/evaluate/toy_bundle.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline::test {
namespace {

using testing::ElementsAre;

std::vector<std::string> names_of(const std::vector<Score>& scores) {
  std::vector<std::string> names;
  for (const Score& each : scores) names.push_back(each.name);
  return names;
}

double score_named(const std::vector<Score>& scores, std::string_view name) {
  const auto found = std::ranges::find(scores, name, &Score::name);
  return found == scores.end() ? -1.0 : found->value;
}

std::vector<std::string> people(int yes, int no) {
  std::vector<std::string> answers(static_cast<size_t>(yes), "yes");
  answers.resize(static_cast<size_t>(yes + no), "no");
  return answers;
}

TEST(QuestionScores, EachStandsUnderItsOwnName) {
  std::vector<Prediction> asked = {
      {.where = "q:1", .kind = "yes/no", .text = "yes", .references = people(2, 8)},
      {.where = "q:1", .kind = "yes/no", .text = "No.", .references = people(2, 8)},
      {.where = "q:2",
       .kind = "other",
       .text = "a red hat",
       .references = {"red hat", "hat", "hat", "hat"}}};
  const std::vector<Score> scores = scores_of(TaskKind::question, asked);
  EXPECT_THAT(names_of(scores), ElementsAre("vqa_accuracy", "exact_match", "token_f1",
                                            "token_recall", "Bleu_1", "yes_no_accuracy"));
  // "yes": 2 of ten, left out in turn: (2 x 1/3 + 8 x 2/3) / 10. "red hat": one of four.
  EXPECT_NEAR(score_named(scores, "vqa_accuracy"), (0.6 + 1.0 + 0.25) / 3, 1e-12);
  EXPECT_NEAR(score_named(scores, "exact_match"), 2.0 / 3, 1e-12);  // "yes" is one of its answers
  EXPECT_NEAR(score_named(scores, "token_f1"), 1.0, 1e-12);
  EXPECT_NEAR(score_named(scores, "yes_no_accuracy"), 0.5, 1e-12);  // most people said no
  EXPECT_TRUE(scores[0].interval.has_value());

  const std::vector<KindScore> kinds = scores_by_kind(asked);
  ASSERT_EQ(kinds.size(), 2u);
  EXPECT_EQ(kinds[0].kind, "other");
  EXPECT_EQ(kinds[0].count, 1);
  EXPECT_EQ(score_named(kinds[0].scores, "yes_no_accuracy"), -1.0);
  EXPECT_EQ(score_named(kinds[1].scores, "yes_no_accuracy"), 0.5);

  for (Prediction& each : asked) each.references.resize(1);
  asked[0].references = asked[1].references = {"neither"};
  EXPECT_THAT(names_of(scores_of(TaskKind::question, asked)),
              ElementsAre("exact_match", "token_f1", "token_recall", "Bleu_1"));
}

TEST(QuestionCases, HaveAllAnswersAndTheirKind) {
  Example example{.where = "q:1"};
  for (const char* words : {"is it?", "how many?"}) {
    example.conversations.push_back(
        {{.role = Role::user, .text = words}, {.role = Role::assistant, .text = "2"}});
    example.references.emplace_back("2");
  }
  example.kinds = {"yes/no", "number"};
  example.answers = {{"2", "3"}, {"2", "2", "1"}};
  const auto cases = cases_of(example, TaskKind::question);
  ASSERT_EQ(cases.size(), 2u);
  EXPECT_EQ(cases[0].prediction.kind, "yes/no");
  EXPECT_EQ(cases[1].prediction.kind, "number");
  EXPECT_THAT(cases[1].prediction.references, ElementsAre("2", "2", "1"));
}

// Six pictures' questions, of which three expect "no" and two of the open ones "lung".
class QuestionBaselines : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"a.png", "b.png"}) write_text(folder_.path() / name, png_of(1));
    write_text(folder_.path() / "rad.json", R"([
      {"qid": 1, "image_name": "a.png", "phrase_type": "para", "question": "Is it?",
       "answer": "no", "answer_type": "CLOSED"},
      {"qid": 2, "image_name": "a.png", "phrase_type": "para", "question": "Does it?",
       "answer": "no", "answer_type": "CLOSED"},
      {"qid": 3, "image_name": "a.png", "phrase_type": "para", "question": "Where?",
       "answer": "lung", "answer_type": "OPEN"},
      {"qid": 4, "image_name": "b.png", "phrase_type": "para", "question": "What?",
       "answer": "lung", "answer_type": "OPEN"},
      {"qid": 5, "image_name": "b.png", "phrase_type": "para", "question": "Which?",
       "answer": "left", "answer_type": "OPEN"},
      {"qid": 6, "image_name": "b.png", "phrase_type": "para", "question": "Has it?",
       "answer": "no", "answer_type": "CLOSED"}])");
    DataRecipe& data = recipe_.data["rad"];
    data = {.format = DataFormat::vqarad,
            .annotations = (folder_.path() / "rad.json").string(),
            .images = folder_.path().string(),
            .split = "train",
            .prompt = "{question}"};
    TaskRecipe& task = recipe_.tasks.at("question");
    task.data = task.neighbours = "rad";
  }
  TaskResult baseline(const char* name, const char* task = "question") const {
    return run_baseline(name, bundle_, recipe_.tasks.at(task), recipe_,
                        {.progress = ShowProgress::no});
  }
  static std::vector<std::string> texts_of(const TaskResult& result) {
    std::vector<std::string> texts;
    for (const Prediction& each : result.predictions) texts.push_back(each.text);
    return texts;
  }

  TemporaryFolder folder_;
  Recipe recipe_ = toy_recipe();
  Bundle bundle_ = toy_bundle();
};

TEST_F(QuestionBaselines, MajorityIsTheCommonestAnswerOfAll) {
  const TaskResult result = baseline("majority");
  EXPECT_THAT(texts_of(result), ElementsAre("no", "no", "no", "no", "no", "no"));
  EXPECT_EQ(score_named(result.scores, "exact_match"), 0.5);
  EXPECT_EQ(score_named(result.scores, "yes_no_accuracy"), 1.0);
}

TEST_F(QuestionBaselines, MajorityOfKindIsTheCommonestOfItsKind) {
  const TaskResult result = baseline("majority_of_kind");
  EXPECT_THAT(texts_of(result), ElementsAre("no", "no", "lung", "lung", "lung", "no"));
  EXPECT_NEAR(score_named(result.scores, "exact_match"), 5.0 / 6, 1e-12);
}

TEST_F(QuestionBaselines, MajorityIsRefusedForCaptions) {
  EXPECT_THROW(baseline("majority", "caption"), UsageError);
  EXPECT_THROW(baseline("majority_of_kind", "caption"), UsageError);
  EXPECT_THROW(baseline("most", "question"), UsageError);
}

// The model answers all six, the questions of a picture as cases of their own.
TEST_F(QuestionBaselines, StandBesideTheModel) {
  TaskRecipe task = recipe_.tasks.at("question");
  task.baselines = {"blind", "majority"};
  const auto results = run_with_baselines(bundle_, task, recipe_, {.progress = ShowProgress::no});
  ASSERT_EQ(results.size(), 3u);
  EXPECT_EQ(results[0].who, "majority");
  EXPECT_EQ(results[1].who, "blind");
  EXPECT_EQ(results[2].who, "model");
  EXPECT_EQ(results[2].count, 6);
  ASSERT_EQ(results[2].kinds.size(), 2u);
  EXPECT_EQ(results[2].kinds[0].kind, "closed");
  EXPECT_EQ(results[2].kinds[0].count, 3);
}

}  // namespace
}  // namespace sightline::test
