#include "data/pass_order.h"

#include "base/rng.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

namespace sightline {
namespace {

constexpr uint64_t kLarge = PassOrder::kTableAtMost + 12'345;

TEST(PassOrder, SmallOnesAreShuffledTables) {
  const PassOrder order(100, 7);
  const std::vector<uint32_t> expected = permutation(100, 7);
  for (uint32_t i = 0; i < 100; ++i) EXPECT_EQ(order.at(i), expected[i]);
}

TEST(PassOrder, LargeOnesTakeEachOnce) {
  const PassOrder order(kLarge, 7);
  std::vector<bool> seen(kLarge, false);
  uint64_t outside = 0, again = 0;
  for (uint64_t i = 0; i < kLarge; ++i) {
    const uint32_t number = order.at(i);
    if (number >= kLarge) {
      ++outside;
    } else if (seen[number]) {
      ++again;
    } else {
      seen[number] = true;
    }
  }
  EXPECT_EQ(outside, 0u);
  EXPECT_EQ(again, 0u);
}

// Chi-square over 64 equal parts: 63 degrees of freedom, so 63 +- 11; 130 is six deviations away.
double chi_square(const std::vector<int>& counts) {
  double total = 0, sum = 0;
  for (const int count : counts) total += count;
  const double expected = total / static_cast<double>(counts.size());
  for (const int count : counts) sum += std::pow(count - expected, 2) / expected;
  return sum;
}

// The first draws come from everywhere, whatever the seed, and say nothing of those that follow.
TEST(PassOrder, LargeOnesAreShuffled) {
  constexpr uint64_t kSize = 1'000'000'000;
  for (const uint64_t seed : {0, 1, 2, 3}) {
    const PassOrder order(kSize, derive_seed(seed, "a pass"));
    std::vector<int> parts(64), steps(64);
    for (uint64_t i = 0; i < 64'000; ++i) {
      ++parts[uint64_t{order.at(i)} * 64 / kSize];
      ++steps[(order.at(i + 1) + kSize - order.at(i)) % kSize * 64 / kSize];
    }
    EXPECT_LT(chi_square(parts), 130) << seed;
    EXPECT_LT(chi_square(steps), 130) << seed;
  }
}

TEST(PassOrder, SeedsDiffer) {
  const PassOrder one(kLarge, 1), other(kLarge, 2);
  int same = 0;
  for (uint64_t i = 0; i < 1000; ++i) same += one.at(i) == other.at(i) ? 1 : 0;
  EXPECT_LT(same, 5);
}

}  // namespace
}  // namespace sightline
