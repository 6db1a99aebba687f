// Tasks and baselines over generated scenes with a model of random weights.

#include "evaluate/task.h"

#include "base/error.h"
#include "evaluate/baselines.h"
#include "evaluate/cases.h"
#include "tests/evaluate/toy_bundle.h"

#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>

namespace sightline::test {
namespace {

constexpr ShowProgress kQuiet = ShowProgress::no;

class TaskTest : public testing::Test {
 protected:
  TaskResult run(const char* task, TaskOptions options = {}) const {
    options.progress = kQuiet;
    return run_task(bundle_, recipe_.tasks.at(task), recipe_, options);
  }
  TaskResult baseline(const char* name, const char* task) const {
    return run_baseline(name, bundle_, recipe_.tasks.at(task), recipe_, {.progress = kQuiet});
  }

  Recipe recipe_ = toy_recipe();
  Bundle bundle_ = toy_bundle();
};

TEST_F(TaskTest, CaptionsAreScoredUnderCocoNames) {
  const TaskResult result = run("caption");
  EXPECT_EQ(result.count, 12);
  ASSERT_EQ(result.predictions.size(), 12u);
  EXPECT_EQ(result.predictions[3].id, 3);
  EXPECT_EQ(result.predictions[3].references.size(), 5u);
  EXPECT_LT(result.predictions[3].log_probability, 0);
  std::vector<std::string> names;
  for (const Score& score : result.scores) names.push_back(score.name);
  for (const char* name : {"Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "ROUGE_L", "CIDEr"}) {
    EXPECT_EQ(std::count(names.begin(), names.end(), name), 1) << name;
  }
  EXPECT_EQ(result.decoding, "greedy, at most 6 tokens");
}

TEST_F(TaskTest, LimitTakesTheFirstExamples) {
  const TaskResult few = run("caption", {.limit = 3});
  const TaskResult all = run("caption");
  ASSERT_EQ(few.predictions.size(), 3u);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(few.predictions[i].text, all.predictions[i].text);
}

TEST_F(TaskTest, QuestionsAreCountedByKind) {
  const TaskResult result = run("question");
  EXPECT_EQ(result.count, 24);
  int64_t counted = 0;
  double right = 0;
  for (const KindScore& kind : result.kinds) {
    counted += kind.count;
    ASSERT_EQ(kind.scores.at(0).name, "exact_match");
    right += kind.scores[0].value * static_cast<double>(kind.count);
  }
  EXPECT_EQ(counted, 24);
  EXPECT_EQ(result.kinds.size(), 4u);
  EXPECT_EQ(result.scores.at(0).name, "exact_match");
  EXPECT_NEAR(result.scores[0].value, right / 24, 1e-12);
}

TEST_F(TaskTest, RightAnswersAreRight) {
  TaskResult result = run("question");
  for (Prediction& prediction : result.predictions) prediction.text = prediction.references.front();
  result.predictions[0].text = "something else";
  score(result);
  EXPECT_NEAR(result.scores[0].value, 23.0 / 24, 1e-12);
}

TEST_F(TaskTest, WithoutPicturesEveryPictureLooksTheSame) {
  std::set<std::string> seen, blind;
  for (const Prediction& each : run("caption").predictions) seen.insert(each.text);
  const TaskResult result = run("caption", {.pictures = Pictures::blank});
  for (const Prediction& each : result.predictions) blind.insert(each.text);
  EXPECT_EQ(result.who, "blind");
  EXPECT_EQ(blind.size(), 1u);
  EXPECT_GT(seen.size(), 1u) << "the random model should see something";
}

TEST_F(TaskTest, FrequentGivesTheCommonestCaption) {
  const TaskResult result = baseline("frequent", "caption");
  std::map<std::string, int> counts;
  for (const Prediction& each : result.predictions) {
    for (const std::string& reference : each.references) ++counts[reference];
  }
  for (const Prediction& each : result.predictions) {
    EXPECT_EQ(each.text, result.predictions[0].text);
  }
  for (const auto& [text, count] : counts) {
    EXPECT_LE(count, counts.at(result.predictions[0].text)) << text;
  }
}

TEST_F(TaskTest, FrequentAnswersByTheQuestionsWords) {
  recipe_.tasks.at("question").neighbours = "questions";  // every question was asked before
  const TaskResult result = baseline("frequent", "question");
  std::map<std::string, std::map<std::string, int>> answers;
  for (const Prediction& each : result.predictions) ++answers[each.prompt][each.references[0]];
  for (const Prediction& each : result.predictions) {
    int most = 0;
    for (const auto& [text, count] : answers[each.prompt]) most = std::max(most, count);
    EXPECT_EQ(answers[each.prompt][each.text], most) << each.prompt;
  }
}

// Among pictures that hold the picture itself, it is its own nearest.
TEST_F(TaskTest, NearestFindsThePictureItself) {
  const TaskResult result = baseline("nearest", "caption");
  for (const Prediction& each : result.predictions) {
    EXPECT_EQ(each.text, each.references.front()) << each.where;
  }
}

TEST_F(TaskTest, NearestIsRefusedForQuestions) {
  EXPECT_THROW(baseline("nearest", "question"), UsageError);
}

TEST_F(TaskTest, BaselinesComeInOrderAndTheModelLast) {
  TaskRecipe task = recipe_.tasks.at("caption");
  task.baselines = {"blind", "nearest", "frequent"};
  const auto results = run_with_baselines(bundle_, task, recipe_, {.limit = 4, .progress = kQuiet});
  std::vector<std::string> who;
  for (const TaskResult& each : results) {
    who.push_back(each.who);
    EXPECT_EQ(each.count, 4);
  }
  EXPECT_EQ(who, (std::vector<std::string>{"frequent", "nearest", "blind", "model"}));
}

TEST_F(TaskTest, CaptionCaseLeavesOtherPromptsOut) {
  recipe_.tasks.at("caption").data = "both";  // 3 captions and 6 questions a picture
  const auto cases = cases_of(recipe_.tasks.at("caption"), recipe_, 0);
  ASSERT_EQ(cases.size(), 5u);
  for (const TaskCase& each : cases) EXPECT_EQ(each.prediction.references.size(), 3u);
}

TEST_F(TaskTest, UnknownDataIsNamed) {
  recipe_.tasks.at("caption").data = "nothing";
  EXPECT_THROW(run("caption"), UsageError);
}

}  // namespace
}  // namespace sightline::test
