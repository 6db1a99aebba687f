// A stage's steps dealt to ranks.

#include "base/rng.h"
#include "data/deal.h"
#include "tests/data/loader_fixture.h"

#include <algorithm>
#include <map>

#include <gtest/gtest.h>

namespace sightline {
namespace {

double heaviest(const std::vector<double>& costs, const std::vector<int64_t>& owners,
                int64_t ranks) {
  std::vector<double> loads(static_cast<size_t>(ranks), 0.0);
  for (size_t i = 0; i < costs.size(); ++i) loads[static_cast<size_t>(owners[i])] += costs[i];
  return std::ranges::max(loads);
}

// Over all ways to deal.
double least_possible(const std::vector<double>& costs, int64_t ranks) {
  std::vector<int64_t> owners(costs.size(), 0);
  double least = heaviest(costs, owners, ranks);
  for (;;) {
    size_t i = 0;
    while (i < owners.size() && ++owners[i] == ranks) owners[i++] = 0;
    if (i == owners.size()) return least;
    least = std::min(least, heaviest(costs, owners, ranks));
  }
}

TEST(Deal, IsNearTheBest) {
  Rng rng(3);
  for (int round = 0; round < 60; ++round) {
    const auto ranks = static_cast<int64_t>(2 + rng.below(2));
    std::vector<double> costs(1 + rng.below(8));
    for (double& cost : costs) cost = static_cast<double>(1 + rng.below(50));
    const std::vector<int64_t> owners = deal(costs, ranks);
    EXPECT_EQ(owners, deal(costs, ranks));
    const double bound = 4.0 / 3.0 - 1.0 / static_cast<double>(3 * ranks);
    EXPECT_LE(heaviest(costs, owners, ranks), bound * least_possible(costs, ranks) + 1e-9);
  }
  EXPECT_EQ(deal(std::vector<double>{1, 1, 1}, 1), (std::vector<int64_t>{0, 0, 0}));
  EXPECT_EQ(deal(std::vector<double>{1, 5, 1}, 2), (std::vector<int64_t>{1, 0, 1}));
  EXPECT_EQ(deal(std::vector<double>{2}, 4), (std::vector<int64_t>{0}));
}

class DealtLoader : public testing::TestWithParam<int64_t> {};

TEST_P(DealtLoader, TheSameStepsAndEachBatchOnce) {
  const int64_t ranks = GetParam();
  test::MadeStage stage;
  stage.options.cost = [](const MicroBatchWork& work) {
    EXPECT_GT(work.rows * work.predictions * work.scores, 0);
    return static_cast<double>(work.rows + 40 * work.images);
  };
  const std::vector<LoadedStep> whole = test::all_steps(stage.options);
  std::vector<std::vector<LoadedStep>> shares;
  for (int64_t rank = 0; rank < ranks; ++rank) {
    stage.options.rank = rank;
    stage.options.ranks = ranks;
    stage.options.workers = 1 + rank;
    shares.push_back(test::all_steps(stage.options));
    ASSERT_EQ(shares.back().size(), whole.size());
  }
  for (size_t s = 0; s < whole.size(); ++s) {
    std::map<int64_t, std::string> batches;
    for (const auto& share : shares) {
      const LoadedStep& step = share[s];
      EXPECT_EQ(step.num_predictions, whole[s].num_predictions);
      EXPECT_EQ(step.num_images, whole[s].num_images);
      EXPECT_EQ(step.num_rows, whole[s].num_rows);
      EXPECT_EQ(step.num_samples, whole[s].num_samples);
      EXPECT_EQ(step.state_after, whole[s].state_after);
      ASSERT_EQ(step.numbers.size(), step.micro_batches.size());
      EXPECT_TRUE(std::ranges::is_sorted(step.numbers));
      for (size_t i = 0; i < step.numbers.size(); ++i) {
        const bool is_new =
            batches.emplace(step.numbers[i], test::digest(step.micro_batches[i])).second;
        EXPECT_TRUE(is_new) << "micro-batch " << step.numbers[i] << " is on two ranks";
      }
    }
    ASSERT_EQ(batches.size(), whole[s].micro_batches.size());
    for (const auto& [number, key] : batches) {
      EXPECT_EQ(key, test::digest(whole[s].micro_batches[static_cast<size_t>(number)]));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Ranks, DealtLoader, testing::Values(2, 4, 8));

}  // namespace
}  // namespace sightline
