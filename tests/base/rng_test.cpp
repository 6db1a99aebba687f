#include "base/rng.h"

#include "base/error.h"

#include <array>
#include <cmath>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using testing::ElementsAre;

// SplitMix64's published values for this seed. A checkpoint's state means the same for ever.
TEST(Rng, PublishedValues) {
  Rng rng(1234567);
  EXPECT_EQ(rng.next(), 6457827717110365317u);
  EXPECT_EQ(rng.next(), 3203168211198807973u);
  EXPECT_EQ(rng.next(), 9817491932198370423u);
  EXPECT_EQ(rng.next(), 4593380528125082431u);
  EXPECT_EQ(rng.next(), 16408922859458223821u);
}

// Computed apart, in Python: shuffles and seeds must not change between versions.
TEST(Rng, FixedSeedsAndPermutations) {
  EXPECT_EQ(derive_seed(0, "shuffle"), 819560817051791910u);
  EXPECT_EQ(derive_seed(0, "shuffle", 1), 11408522826728910731u);
  EXPECT_EQ(derive_seed(1, "shuffle"), 535965601018197628u);
  EXPECT_THAT(permutation(10, 7), ElementsAre(8, 1, 5, 9, 0, 4, 3, 2, 6, 7));
  EXPECT_THAT(permutation(0, 7), ElementsAre());
  EXPECT_THAT(permutation(1, 7), ElementsAre(0));
}

TEST(Rng, StateIsTheWholeOfIt) {
  Rng rng(5);
  rng.normal();
  rng.below(3);
  Rng other;
  other.set_state(rng.state());
  for (int i = 0; i < 100; ++i) EXPECT_EQ(rng.normal(), other.normal());
}

TEST(Rng, BelowIsUniform) {
  constexpr int kFaces = 6, kDraws = 60000;
  std::array<double, kFaces> counts{};
  Rng rng(3);
  for (int i = 0; i < kDraws; ++i) counts.at(rng.below(kFaces)) += 1;
  double chi_square = 0.0;
  for (const double count : counts) {
    const double expected = static_cast<double>(kDraws) / kFaces;
    chi_square += (count - expected) * (count - expected) / expected;
  }
  EXPECT_LT(chi_square, 20.5);  // the 99.9 % point of 5 degrees of freedom
  EXPECT_EQ(rng.below(1), 0u);
  EXPECT_THROW(rng.below(0), AssertionError);
}

// A bound of 3/4 of 2^64: without rejection the lower third would come twice as often.
TEST(Rng, LargeBoundHasNoBias) {
  constexpr uint64_t kQuarter = uint64_t{1} << 62;
  std::array<int, 3> counts{};
  Rng rng(4);
  for (int i = 0; i < 30000; ++i) ++counts.at(rng.below(3 * kQuarter) / kQuarter);
  for (const int count : counts) EXPECT_NEAR(count, 10000, 400);
}

TEST(Rng, UniformAndNormalHaveTheirMoments) {
  constexpr int kDraws = 200000;
  Rng rng(6);
  double sum = 0, squares = 0, normal_sum = 0, normal_squares = 0, normal_fourth = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double u = rng.uniform();
    ASSERT_TRUE(u >= 0.0 && u < 1.0);
    sum += u;
    squares += u * u;
    const double z = rng.normal();
    ASSERT_TRUE(std::isfinite(z));
    normal_sum += z;
    normal_squares += z * z;
    normal_fourth += z * z * z * z;
  }
  EXPECT_NEAR(sum / kDraws, 1.0 / 2, 0.003);
  EXPECT_NEAR(squares / kDraws, 1.0 / 3, 0.003);
  EXPECT_NEAR(normal_sum / kDraws, 0.0, 0.01);
  EXPECT_NEAR(normal_squares / kDraws, 1.0, 0.015);
  EXPECT_NEAR(normal_fourth / kDraws, 3.0, 0.15);
}

TEST(Rng, PurposesNumbersAndSeedsAreApart) {
  std::set<uint64_t> seeds;
  for (uint64_t seed = 0; seed < 10; ++seed) {
    for (const char* purpose : {"", "a", "b", "ab", "ba"}) {
      for (uint64_t number = 0; number < 10; ++number) {
        seeds.insert(derive_seed(seed, purpose, number));
      }
    }
  }
  EXPECT_EQ(seeds.size(), 500u);
}

TEST(Rng, EveryPermutationComes) {
  std::set<std::vector<uint32_t>> seen;
  for (uint64_t seed = 0; seed < 500; ++seed) seen.insert(permutation(4, seed));
  EXPECT_EQ(seen.size(), 24u);
}

}  // namespace
}  // namespace sightline
