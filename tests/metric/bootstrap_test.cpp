// Intervals against what is known of a mean, and resampled scores against their definition.

#include "metric/bootstrap.h"

#include "base/rng.h"
#include "metric/caption_scores.h"

#include <cmath>

#include <gtest/gtest.h>

namespace sightline {
namespace {

SummedScore normal_mean(size_t cases, uint64_t seed, double shift = 0) {
  Rng rng(seed);
  std::vector<std::vector<double>> terms;
  for (size_t i = 0; i < cases; ++i) terms.push_back({rng.normal() + shift, 1.0});
  return mean_score("mean", std::move(terms));
}

TEST(Bootstrap, QuantilesAreNumpys) {
  const std::vector<double> values = {3.5, -1.0, 2.25, 8.0, 0.5, 4.0, 4.0};
  // numpy.quantile(values, [0.025, 0.3, 0.5, 0.975])
  EXPECT_NEAR(quantile(values, 0.025), -0.775, 1e-12);
  EXPECT_NEAR(quantile(values, 0.3), 1.9, 1e-12);
  EXPECT_NEAR(quantile(values, 0.5), 3.5, 1e-12);
  EXPECT_NEAR(quantile(values, 0.975), 7.4, 1e-12);
}

// Of a mean the interval is mean +- 1.96 standard errors, but for the resamples' own noise.
TEST(Bootstrap, OfAMeanIsItsStandardError) {
  const SummedScore score = normal_mean(2000, 5);
  double squares = 0;
  const double mean = score_of(score);
  for (const auto& terms : score.terms) squares += (terms[0] - mean) * (terms[0] - mean);
  const double error = std::sqrt(squares) / 2000;
  const Interval interval = bootstrap_interval(score, {.resamples = 4000});
  EXPECT_NEAR(interval.low, mean - 1.96 * error, 0.1 * error);
  EXPECT_NEAR(interval.high, mean + 1.96 * error, 0.1 * error);
}

// Of 95 in 100 samples the interval holds the truth.
TEST(Bootstrap, CoversTheTruthAsOftenAsItSays) {
  int covered = 0;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    const Interval interval = bootstrap_interval(normal_mean(100, seed, 3.0), {.resamples = 300});
    if (interval.low <= 3.0 && 3.0 <= interval.high) ++covered;
  }
  EXPECT_GE(covered, 365);
  EXPECT_LE(covered, 393);
}

TEST(Bootstrap, IsTheSameForTheSameSeed) {
  const SummedScore score = normal_mean(50, 1);
  EXPECT_EQ(bootstrap_interval(score).low, bootstrap_interval(score).low);
  EXPECT_NE(bootstrap_interval(score).low, bootstrap_interval(score, {.seed = 1}).low);
}

// What the two have in common drops out: a difference that single intervals would not show.
TEST(Bootstrap, PairsSystemsOnTheSameCases) {
  const SummedScore first = normal_mean(300, 2);
  SummedScore second = first;
  Rng rng(9);
  for (auto& terms : second.terms) terms[0] += 0.05 + 0.1 * rng.normal();
  const Difference difference = paired_bootstrap(first, second);
  EXPECT_NEAR(difference.value, 0.05, 0.02);
  EXPECT_GT(difference.interval.low, 0);
  EXPECT_EQ(difference.share_above, 1.0);
  EXPECT_GT(bootstrap_interval(first).high, bootstrap_interval(second).low);
  const Difference none = paired_bootstrap(first, first);
  EXPECT_EQ(none.interval.low, 0);
  EXPECT_EQ(none.interval.high, 0);
}

// Questions of one photograph are not independent: together they tell less than as many others.
TEST(Bootstrap, GroupsAreResampledTogether) {
  std::vector<std::vector<double>> terms;
  std::vector<size_t> group;
  Rng rng(3);
  for (size_t photograph = 0; photograph < 100; ++photograph) {
    const double right = rng.uniform() < 0.5 ? 1.0 : 0.0;
    for (int question = 0; question < 8; ++question) {
      terms.push_back({right, 1.0});
      group.push_back(photograph);
    }
  }
  const SummedScore single = mean_score("accuracy", terms), together = grouped(single, group);
  ASSERT_EQ(together.terms.size(), 100u);
  EXPECT_EQ(score_of(together), score_of(single));
  const Interval narrow = bootstrap_interval(single), wide = bootstrap_interval(together);
  EXPECT_NEAR((wide.high - wide.low) / (narrow.high - narrow.low), std::sqrt(8.0), 0.4);
}

std::vector<CaptionCase> caption_cases() {
  return {{"1", "a dog runs on the grass", {"a dog runs over grass", "the dog is running"}},
          {"2", "a man rides a horse", {"a man on a horse", "someone rides a brown horse"}},
          {"3", "two cats sit", {"two cats sit on a wall", "cats sitting on a wall together"}},
          {"4", "a red car", {"an old red car is parked", "a red car on a street"}}};
}

// A resample's BLEU and ROUGE-L are those of the corpus in which its cases stand as often as drawn.
TEST(Bootstrap, AMeanOfScoresIsOfTheirValues) {
  const SummedScore a = mean_score("share", {{1, 1}, {0, 1}, {0, 1}});
  const SummedScore b{"ratio", {{1, 2, 0}, {3, 1, 0}, {2, 1, 5}}, [](std::span<const double> sums) {
                        return (sums[0] + sums[2]) / sums[1];
                      }};
  const SummedScore mean = mean_of(std::vector{a, b, a});
  EXPECT_EQ(mean.terms.size(), 3u);
  EXPECT_DOUBLE_EQ(score_of(mean), (1.0 / 3 + 11.0 / 4 + 1.0 / 3) / 3);
}

TEST(Bootstrap, SumsGiveTheScoresOfTheRepeatedCorpus) {
  const std::vector<CaptionCase> cases = caption_cases();
  const CaptionScores whole = score_captions(cases);
  const std::vector<SummedScore> sums = summed_scores(whole);
  for (const SummedScore& each : sums) EXPECT_NEAR(score_of(each), whole[each.name], 1e-12);
  const std::vector<size_t> drawn = {2, 0, 2, 3};
  std::vector<CaptionCase> repeated;
  for (const size_t each : drawn) repeated.push_back(cases[each]);
  const CaptionScores expected = score_captions(repeated);
  for (const SummedScore& each : sums) {
    if (each.name.starts_with("CIDEr")) continue;  // its words weigh as in the whole set
    SummedScore resampled{each.name, {}, each.value};
    for (const size_t i : drawn) resampled.terms.push_back(each.terms[i]);
    EXPECT_NEAR(score_of(resampled), expected[each.name], 1e-12) << each.name;
  }
}

}  // namespace
}  // namespace sightline
