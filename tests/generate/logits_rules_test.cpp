// The rules on rows made by hand.

#include "generate/logits_rules.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using testing::ElementsAre;
using testing::FloatEq;

constexpr float kNever = -std::numeric_limits<float>::infinity();
using Row = std::vector<float>;

Row logs(const std::vector<double>& probabilities) {
  Row row;
  for (const double p : probabilities) row.push_back(static_cast<float>(std::log(p)));
  return row;
}

// The tokens that may still be chosen.
std::vector<int> left(const Row& row) {
  std::vector<int> tokens;
  for (size_t i = 0; i < row.size(); ++i) {
    if (row[i] > kNever) tokens.push_back(static_cast<int>(i));
  }
  return tokens;
}

TEST(LogitsRules, RepeatsCountOnce) {
  Row row = {-1, -2, -3};
  penalise_repeats(row, std::vector<int32_t>{1, 1, 1}, 1.5);
  EXPECT_THAT(row, ElementsAre(-1, -3, -3));
}

TEST(LogitsRules, EarlierGroupsCostEachTime) {
  Row row = {-1, -2, -3};
  penalise_earlier_groups(row, std::vector<int32_t>{2, 0, 2}, 0.5);
  EXPECT_THAT(row, ElementsAre(-1.5, -2, -4));
}

TEST(LogitsRules, NgramsDoNotComeTwice) {
  const std::vector<int32_t> answer = {0, 1, 2, 0, 1};
  Row pairs(4, -1), triples(4, -1), singles(4, -1), many(4, -1);
  forbid_repeated_ngrams(pairs, answer, 2);
  EXPECT_THAT(left(pairs), ElementsAre(0, 1, 3));  // "1 2" stands there
  forbid_repeated_ngrams(triples, answer, 3);
  EXPECT_THAT(left(triples), ElementsAre(0, 1, 3));  // "0 1 2" stands there
  forbid_repeated_ngrams(singles, answer, 1);
  EXPECT_THAT(left(singles), ElementsAre(3));
  forbid_repeated_ngrams(many, answer, 6);  // the first of its length
  EXPECT_EQ(left(many).size(), 4u);
  Row fresh(4, -1);
  forbid_repeated_ngrams(fresh, {}, 2);
  EXPECT_EQ(left(fresh).size(), 4u);
}

TEST(LogitsRules, TopKKeepsEquals) {
  Row row = {-1, -3, -2, -2, -4};
  keep_top_k(row, 2);
  EXPECT_THAT(left(row), ElementsAre(0, 2, 3));
  keep_top_k(row, 99);
  EXPECT_EQ(left(row).size(), 3u);
}

TEST(LogitsRules, TopPKeepsTheFewest) {
  Row row = logs({0.1, 0.5, 0.15, 0.25});
  keep_top_p(row, 0.7);
  EXPECT_THAT(left(row), ElementsAre(1, 3));
  EXPECT_THAT(row[1], FloatEq(static_cast<float>(std::log(0.5))));
  keep_top_p(row, 1e-9);
  EXPECT_THAT(left(row), ElementsAre(1)) << "one stays";
  Row equals = logs({0.25, 0.25, 0.25, 0.25});
  keep_top_p(equals, 0.5);
  EXPECT_THAT(left(equals), ElementsAre(0, 1));
}

TEST(LogitsRules, MinPIsAShareOfTheBest) {
  Row row = logs({0.1, 0.5, 0.15, 0.25});
  keep_min_p(row, 0.4);
  EXPECT_THAT(left(row), ElementsAre(1, 3));
}

TEST(LogitsRules, EndsAreForbiddenUntilTheLeastLength) {
  const DecodingRecipe decoding{.min_new_tokens = 2};
  const std::vector<int32_t> ends = {0, 2};
  Row early(3, -1), late(3, -1);
  apply_penalties(early, decoding, std::vector<int32_t>{1}, ends);
  EXPECT_THAT(left(early), ElementsAre(1));
  apply_penalties(late, decoding, std::vector<int32_t>{1, 1}, ends);
  EXPECT_EQ(left(late).size(), 3u);
}

// Temperature comes before top-p: a hot distribution needs more tokens for the same probability.
TEST(LogitsRules, TemperatureComesFirst) {
  Row cold = logs({0.7, 0.2, 0.1}), hot = cold;
  apply_truncation(cold, {.temperature = 1.0, .top_p = 0.65});
  apply_truncation(hot, {.temperature = 4.0, .top_p = 0.65});
  EXPECT_THAT(left(cold), ElementsAre(0));
  EXPECT_THAT(left(hot), ElementsAre(0, 1));
}

}  // namespace
}  // namespace sightline
