// Two results of one task beside each other.

#include "evaluate/compare.h"

#include "base/error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline::test {
namespace {

using testing::HasSubstr;

// Forty questions, two of each photograph; those below `right` are answered rightly.
TaskResult answers(int64_t right) {
  TaskResult result{.task = "vqa", .kind = TaskKind::question, .who = "model"};
  result.data = "photos";
  result.split = "test";
  result.decoding = "greedy";
  for (int64_t i = 0; i < 40; ++i) {
    result.predictions.push_back({.id = i,
                                  .where = "rows:" + std::to_string(i / 2),
                                  .prompt = "what?",
                                  .text = i < right ? "this" : "that",
                                  .references = {"this"}});
  }
  return result;
}

std::vector<ComparedScore> compared(const TaskResult& first, const TaskResult& second) {
  const ResultPair pair{first, second};
  return compare({&pair, 1});
}

std::string text_of(const TaskResult& first, const TaskResult& second) {
  const ResultPair pair{first, second};
  return comparison_text({&pair, 1}, compare({&pair, 1}));
}

TEST(Compare, TellsTheDifferenceAndItsInterval) {
  const auto scores = compared(answers(10), answers(30));
  ASSERT_EQ(scores.size(), 4u);  // token_f1, token_recall and Bleu_1 come after it
  EXPECT_EQ(scores[0].name, "exact_match");
  EXPECT_DOUBLE_EQ(scores[0].first, 0.25);
  EXPECT_DOUBLE_EQ(scores[0].second, 0.75);
  EXPECT_DOUBLE_EQ(scores[0].difference.value, 0.5);
  EXPECT_GT(scores[0].difference.interval.low, 0.2);
  EXPECT_LT(scores[0].difference.interval.high, 0.8);
  EXPECT_THAT(text_of(answers(10), answers(30)), HasSubstr("second is better"));
  EXPECT_THAT(text_of(answers(30), answers(10)), HasSubstr("first is better"));
  EXPECT_EQ(compared(answers(20), answers(20))[0].difference.interval.low, 0);
}

TEST(Compare, TakesTheMeanOfPairs) {
  const std::vector<ResultPair> pairs = {{answers(10), answers(30)}, {answers(20), answers(16)}};
  const ComparedScore score = compare(pairs).front();
  EXPECT_DOUBLE_EQ(score.first, 0.375);
  EXPECT_DOUBLE_EQ(score.second, 0.575);
  EXPECT_DOUBLE_EQ(score.difference.value, 0.2);
  EXPECT_THAT(score.differences,
              testing::ElementsAre(testing::DoubleEq(0.5), testing::DoubleNear(-0.1, 1e-12)));
  EXPECT_THAT(comparison_text(pairs, compare(pairs)), HasSubstr("+0.5000  -0.1000"));
  // Twice the same pair is no more certain than once: the examples are what is drawn.
  const std::vector<ResultPair> twice(2, pairs.front());
  const Interval once = compared(answers(10), answers(30))[0].difference.interval;
  EXPECT_DOUBLE_EQ(compare(twice)[0].difference.interval.low, once.low);
  EXPECT_DOUBLE_EQ(compare(twice)[0].difference.interval.high, once.high);
}

TEST(Compare, RefusesOtherCases) {
  TaskResult other = answers(3);
  other.predictions[7].references = {"those"};
  EXPECT_THROW(compared(answers(3), other), Error);
  other = answers(3);
  other.predictions.pop_back();
  EXPECT_THROW(compared(answers(3), other), Error);
  other = answers(3);
  other.predictions[1].prompt = "who?";
  EXPECT_THROW(compared(answers(3), other), Error);
  const std::vector<ResultPair> pairs = {{answers(3), answers(4)}, {answers(3), other}};
  EXPECT_THROW(compare(pairs), Error);
}

}  // namespace
}  // namespace sightline::test
