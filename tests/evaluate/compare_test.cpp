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

TEST(Compare, TellsTheDifferenceAndItsInterval) {
  const auto scores = compare(answers(10), answers(30));
  ASSERT_EQ(scores.size(), 4u);  // token_f1, token_recall and Bleu_1 come after it
  EXPECT_EQ(scores[0].name, "exact_match");
  EXPECT_DOUBLE_EQ(scores[0].first, 0.25);
  EXPECT_DOUBLE_EQ(scores[0].second, 0.75);
  EXPECT_DOUBLE_EQ(scores[0].difference.value, 0.5);
  EXPECT_GT(scores[0].difference.interval.low, 0.2);
  EXPECT_LT(scores[0].difference.interval.high, 0.8);
  EXPECT_THAT(comparison_text(answers(10), answers(30), scores), HasSubstr("second is better"));
  EXPECT_THAT(comparison_text(answers(30), answers(10), compare(answers(30), answers(10))),
              HasSubstr("first is better"));
  const auto same = compare(answers(20), answers(20));
  EXPECT_EQ(same[0].difference.interval.low, 0);
}

TEST(Compare, RefusesOtherCases) {
  TaskResult other = answers(3);
  other.predictions[7].references = {"those"};
  EXPECT_THROW(compare(answers(3), other), Error);
  other = answers(3);
  other.predictions.pop_back();
  EXPECT_THROW(compare(answers(3), other), Error);
  other = answers(3);
  other.predictions[1].prompt = "who?";
  EXPECT_THROW(compare(answers(3), other), Error);
}

}  // namespace
}  // namespace sightline::test
