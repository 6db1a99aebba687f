// Every metric of answers under its own name, and where it says nothing.

#include "metric/answer_scores.h"

#include "base/error.h"
#include "metric/answer.h"
#include "metric/token_overlap.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using testing::HasSubstr;

// Numbers of SQuAD's script.
TEST(TokenOverlap, IsSquads) {
  const auto expect = [](const char* answer, const char* reference, double f1, double recall) {
    const TokenOverlap overlap = token_overlap(answer, std::string_view(reference));
    EXPECT_DOUBLE_EQ(overlap.f1, f1) << answer;
    EXPECT_DOUBLE_EQ(overlap.recall, recall) << answer;
  };
  expect("the red circle", "A red circle.", 1, 1);
  expect("dog dog cat", "dog dog dog", 2.0 / 3, 2.0 / 3);
  expect("two dogs", "2 dogs", 0.5, 0.5);
  expect("left-sided mass", "left sided mass", 0.4, 1.0 / 3);
  expect("It is a large mass in the left lung", "left lung", 4.0 / 9, 1);
  expect("left", "left lung", 2.0 / 3, 0.5);
  expect("Yes", "no", 0, 0);
  expect("", "yes", 0, 0);
  expect("the", "a", 1, 1);
}

TEST(TokenOverlap, TakesTheBestReference) {
  const std::vector<std::string> references = {"left", "left lung mass seen"};
  const TokenOverlap overlap = token_overlap("left lung", references);
  EXPECT_DOUBLE_EQ(overlap.f1, 2.0 / 3);
  EXPECT_DOUBLE_EQ(overlap.recall, 1);
}

TEST(Answer, YesOrNo) {
  EXPECT_EQ(yes_no_said("Yes, it is."), YesNo::yes);
  EXPECT_EQ(yes_no_said("No."), YesNo::no);
  EXPECT_EQ(yes_no_said("not really"), YesNo::neither);
  EXPECT_EQ(yes_no_said(""), YesNo::neither);
  EXPECT_EQ(yes_no_expected(" Yes "), YesNo::yes);
  EXPECT_EQ(yes_no_expected("no evidence"), YesNo::neither);
}

// The same answers have another number under each name.
std::vector<AnswerCase> medical() {
  return {{"f:1", "Yes, there is", {"yes"}},
          {"f:2", "no", {"Yes"}},
          {"f:3", "in the left lung", {"left lung"}},
          {"f:4", "Left lung.", {"left lung"}}};
}

TEST(AnswerScores, AreNeverOneCalledAnother) {
  const auto cases = medical();
  const auto value = [&](const char* name) { return score_of(answer_score(name, cases)); };
  EXPECT_DOUBLE_EQ(value("exact_match"), 1.0 / 4);
  EXPECT_DOUBLE_EQ(value("token_recall"), 3.0 / 4);
  EXPECT_DOUBLE_EQ(value("token_f1"), (0.5 + 0 + 0.8 + 1) / 4);
  EXPECT_DOUBLE_EQ(value("yes_no_accuracy"), 1.0 / 2);
  // 5 of the 10 words that are said ("," is none) stand in the references.
  EXPECT_NEAR(value("Bleu_1"), 5.0 / 10, 1e-9);
  for (const std::string_view name : kAnswerMetrics) {
    EXPECT_EQ(answer_score(name, cases).name, name);
  }
}

TEST(AnswerScores, OfTenPeoplesAnswers) {
  const std::vector<std::string> ten = {"red",      "red", "Red.", "maroon", "red",
                                        "dark red", "red", "red",  "pink",   "red"};
  const std::vector<AnswerCase> cases = {{"f:1", "red", ten}, {"f:2", "maroon", ten}};
  EXPECT_EQ(why_not("vqa_accuracy", cases), "");
  EXPECT_NEAR(score_of(answer_score("vqa_accuracy", cases)), (1.0 + 0.3) / 2, 1e-12);
  EXPECT_DOUBLE_EQ(score_of(answer_score("exact_match", cases)), 1.0);  // any of the ten
}

TEST(AnswerScores, SayWhereTheyDoNotApply) {
  EXPECT_THAT(why_not("vqa_accuracy", medical()), HasSubstr("f:1 has 1"));
  const std::vector<AnswerCase> open = {{"f:1", "yes", {"left"}}};
  EXPECT_THAT(why_not("yes_no_accuracy", open), HasSubstr("no question expects"));
  EXPECT_EQ(why_not("yes_no_accuracy", medical()), "");
  for (const char* name : {"exact_match", "token_f1", "token_recall", "Bleu_1"}) {
    EXPECT_EQ(why_not(name, open), "") << name;
  }
  EXPECT_THROW(why_not("accuracy", open), AssertionError);
  EXPECT_THROW(answer_score("exact_match", std::span<const AnswerCase>()), Error);
  const std::vector<AnswerCase> unanswered = {{"f:9", "yes", {}}};
  EXPECT_THROW(answer_score("token_f1", unanswered), Error);
}

// A resample without a yes/no question has nothing to say; it must not become a NaN.
TEST(AnswerScores, AResampleMayHoldNoneOfItsQuestions) {
  std::vector<AnswerCase> cases(6, {"f:1", "left", {"left"}});
  cases.push_back({"f:2", "yes", {"yes"}});
  const Interval interval = bootstrap_interval(answer_score("yes_no_accuracy", cases));
  EXPECT_FALSE(std::isnan(interval.low) || std::isnan(interval.high));
}

}  // namespace
}  // namespace sightline
