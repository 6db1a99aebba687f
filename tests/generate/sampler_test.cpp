// Draws against the distributions they are drawn from.

#include "generate/sampler.h"

#include "generate/logits_rules.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

const Endings kEnd{{0}, {}};

// Twelve tokens, some near and some far: a distribution as a language model's.
std::vector<float> known_row() {
  std::vector<float> row;
  for (const double p :
       {0.22, 0.18, 0.001, 0.14, 0.11, 0.09, 0.08, 0.06, 0.05, 0.04, 0.02, 0.009}) {
    row.push_back(static_cast<float>(std::log(p)));
  }
  return row;
}

// chi-squared of 100,000 draws from `row` against its own normalised probabilities, and the degrees
// of freedom. A token without probability must never come.
std::pair<double, int> chi_squared(const std::vector<float>& row) {
  constexpr int kDraws = 100000;
  std::vector<int> counts(row.size(), 0);
  for (uint64_t i = 0; i < kDraws; ++i) ++counts.at(draw(row, derive_seed(3, "draw", i)));
  double all = 0;
  for (const float value : row) all += std::exp(static_cast<double>(value));
  double sum = 0;
  int kinds = 0;
  for (size_t token = 0; token < row.size(); ++token) {
    const double expected = kDraws * std::exp(static_cast<double>(row[token])) / all;
    if (expected == 0) {
      EXPECT_EQ(counts[token], 0) << "token " << token;
      continue;
    }
    ++kinds;
    sum += (counts[token] - expected) * (counts[token] - expected) / expected;
  }
  return {sum, kinds - 1};
}

// The 99.9 % quantile, by Wilson and Hilferty (1931).
double largest_chi_squared(int freedom) {
  const double part = 2.0 / (9.0 * freedom);
  return freedom * std::pow(1 - part + 3.0902 * std::sqrt(part), 3);
}

class SamplerDistribution : public testing::TestWithParam<DecodingRecipe> {};

TEST_P(SamplerDistribution, IsTheRows) {
  std::vector<float> row = known_row();
  apply_truncation(row, GetParam());
  const auto [value, freedom] = chi_squared(row);
  ASSERT_GE(freedom, 1);
  EXPECT_LT(value, largest_chi_squared(freedom));
}

INSTANTIATE_TEST_SUITE_P(Rules, SamplerDistribution,
                         testing::Values(DecodingRecipe{.temperature = 1.0},
                                         DecodingRecipe{.temperature = 0.5},
                                         DecodingRecipe{.temperature = 3.0},
                                         DecodingRecipe{.temperature = 1.0, .top_k = 5},
                                         DecodingRecipe{.temperature = 1.0, .top_p = 0.7},
                                         DecodingRecipe{.temperature = 1.0, .min_p = 0.3}));

// The test above can fail: the same draws are not of another temperature's distribution.
TEST(Sampler, ChiSquaredTellsDistributionsApart) {
  std::vector<float> row = known_row();
  constexpr int kDraws = 100000;
  std::vector<int> counts(row.size(), 0);
  for (uint64_t i = 0; i < kDraws; ++i) ++counts.at(draw(row, derive_seed(3, "draw", i)));
  double sum = 0;
  apply_temperature(row, 1.1);
  double all = 0;
  for (const float value : row) all += std::exp(static_cast<double>(value));
  for (size_t token = 0; token < row.size(); ++token) {
    const double expected = kDraws * std::exp(static_cast<double>(row[token])) / all;
    sum += (counts[token] - expected) * (counts[token] - expected) / expected;
  }
  EXPECT_GT(sum, largest_chi_squared(11));
}

// Noise belongs to a token: taking others away leaves a draw what it was, or frees it.
TEST(Sampler, ADrawStaysWhereOthersAreTakenAway) {
  std::vector<float> few = known_row();
  keep_top_k(few, 3);
  int same = 0;
  for (uint64_t i = 0; i < 200; ++i) {
    const int32_t among_all = draw(known_row(), i), among_few = draw(few, i);
    if (std::isinf(few[among_all])) continue;
    EXPECT_EQ(among_all, among_few);
    ++same;
  }
  EXPECT_GT(same, 50);
}

TEST(Sampler, NothingToDrawIsNoToken) {
  EXPECT_EQ(draw(std::vector<float>(3, -std::numeric_limits<float>::infinity()), 1), -1);
}

// Answers have streams of their own: the third of three is the third of five.
TEST(Sampler, AnswersDoNotDependOnTheirNumber) {
  const auto run = [](int64_t answers) {
    const DecodingRecipe decoding{
        .max_new_tokens = 6, .temperature = 1.0, .answers = answers, .seed = 1};
    Sampler sampler(decoding, kEnd, 77);
    std::vector<float> row = known_row();
    row[0] = -20;  // hardly any end
    std::vector<std::vector<int32_t>> paths(static_cast<size_t>(answers));
    for (auto next = sampler.step(row, 12); !next.empty();) {
      std::vector<float> rows;
      for (size_t i = 0; i < next.size(); ++i) {
        rows.insert(rows.end(), row.begin(), row.end());
        paths[i].push_back(next[i].token);
      }
      next = sampler.step(rows, 12);
    }
    return paths;
  };
  const auto three = run(3), five = run(5);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(three[i], five[i]);
  EXPECT_NE(three[0], three[1]);
}

// Its log-probabilities are the model's own, whatever was done to choose.
TEST(Sampler, ReportsTheModelsOwnLogProbabilities) {
  const DecodingRecipe decoding{.max_new_tokens = 3,
                                .length_penalty = 0.5,
                                .temperature = 0.2,
                                .top_k = 2,
                                .repetition_penalty = 1.7};
  Sampler sampler(decoding, kEnd, 5);
  const std::vector<float> row = known_row();
  while (!sampler.step(row, 12).empty()) {
  }
  const Generated answer = sampler.answers().front();
  double sum = 0;
  for (size_t i = 0; i < answer.token_log_probabilities.size(); ++i) {
    const int32_t token = i < answer.tokens.size() ? answer.tokens[i] : 0;
    EXPECT_EQ(answer.token_log_probabilities[i], row[token]);
    sum += row[token];
  }
  EXPECT_NEAR(answer.log_probability, sum, 1e-9);
  EXPECT_NEAR(answer.score, sum / std::sqrt(static_cast<double>(answer.length())), 1e-9);
}

}  // namespace
}  // namespace sightline
