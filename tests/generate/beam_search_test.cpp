// Beam search alone, on numbers made up for each case.

#include "generate/beam_search.h"

#include <cmath>

#include <gtest/gtest.h>

namespace sightline {
namespace {

std::vector<float> logs(std::vector<double> probabilities) {
  std::vector<float> values;
  for (const double p : probabilities) values.push_back(static_cast<float>(std::log(p)));
  return values;
}

std::vector<float> repeat(const std::vector<float>& row, int64_t times) {
  std::vector<float> rows;
  for (int64_t i = 0; i < times; ++i) rows.insert(rows.end(), row.begin(), row.end());
  return rows;
}

const Endings kEnd{{0}, {}};

TEST(BeamSearch, EqualTokensGoToTheLowerId) {
  BeamSearch search({.max_new_tokens = 2}, kEnd);
  const auto next = search.step(logs({0.1, 0.2, 0.35, 0.35}), 4);
  ASSERT_EQ(next.size(), 1u);
  EXPECT_EQ(next[0].token, 2);
}

TEST(BeamSearch, GreedyEndsAtTheFirstEndToken) {
  BeamSearch search({.max_new_tokens = 9}, kEnd);
  search.step(logs({0.2, 0.5, 0.3}), 3);
  EXPECT_TRUE(search.step(logs({0.6, 0.3, 0.1}), 3).empty());
  EXPECT_EQ(search.num_live(), 0);
  EXPECT_EQ(search.best().tokens, std::vector<int32_t>{1});
  EXPECT_TRUE(search.best().ended);
  EXPECT_NEAR(search.best().log_probability, std::log(0.5 * 0.6), 1e-6);
  EXPECT_NEAR(search.best().score, std::log(0.5 * 0.6) / 2, 1e-6);
}

// An end token that ranks below the beams does not finish anything.
TEST(BeamSearch, UnlikelyEndsDoNotCount) {
  BeamSearch search({.beams = 2, .max_new_tokens = 2, .length_penalty = 0.0}, kEnd);
  EXPECT_EQ(search.step(logs({0.1, 0.5, 0.4}), 3).size(), 2u);
  search.step(repeat(logs({0.02, 0.9, 0.08}), 2), 3);
  EXPECT_EQ(search.best().tokens, (std::vector<int32_t>{1, 1}));
  EXPECT_FALSE(search.best().ended);
}

// Live beams are refilled from what does not end; both end tokens end.
TEST(BeamSearch, SeveralEndTokens) {
  const Endings ends{{0, 3}, {}};
  BeamSearch search({.beams = 2, .max_new_tokens = 5, .length_penalty = 0.0}, ends);
  const auto next = search.step(logs({0.4, 0.1, 0.15, 0.35}), 4);
  EXPECT_TRUE(next.empty()) << "two have ended and, without a penalty, nothing can beat them";
  EXPECT_TRUE(search.best().ended);
  EXPECT_TRUE(search.best().tokens.empty());
  EXPECT_NEAR(search.best().score, std::log(0.4), 1e-6);
}

// The length penalty keeps the search going while a longer answer may still score more.
TEST(BeamSearch, StopsOnlyWhenNothingLiveCanWin) {
  BeamSearch search({.beams = 2, .max_new_tokens = 3, .length_penalty = 1.0}, kEnd);
  EXPECT_EQ(search.step(logs({0.3, 0.4, 0.3}), 3).size(), 2u);
  // The end ranks second: one finished with log 0.3 / 1.
  EXPECT_FALSE(search.step(repeat(logs({0.04, 0.93, 0.03}), 2), 3).empty());
  search.step(repeat(logs({0.96, 0.02, 0.02}), 2), 3);
  EXPECT_EQ(search.best().tokens, (std::vector<int32_t>{1, 1}));
  EXPECT_TRUE(search.best().ended);
  EXPECT_NEAR(search.best().score, std::log(0.4 * 0.93 * 0.96) / 3, 1e-6);
}

}  // namespace
}  // namespace sightline
