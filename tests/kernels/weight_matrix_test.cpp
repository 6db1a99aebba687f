#include "kernels/weight_matrix.h"

#include "base/rng.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace sightline {
namespace {

std::vector<float> normal_numbers(int64_t count) {
  Rng rng(5);
  std::vector<float> numbers(static_cast<size_t>(count));
  for (float& number : numbers) number = static_cast<float>(rng.normal());
  return numbers;
}

// No number is further than half a step of its own group from what it became.
void expect_within_half_a_step(WeightFormat format, double steps) {
  for (const int64_t inputs : {1, 64, 150}) {
    const auto numbers = normal_numbers(3 * inputs);
    const GroupedWeights grouped(format, numbers, 3, inputs);
    for (int64_t n = 0; n < 3; ++n) {
      const std::vector<float> row = grouped.row(n);
      ASSERT_EQ(static_cast<int64_t>(row.size()), inputs);
      for (int64_t first = 0; first < inputs; first += kWeightGroup) {
        const auto begin = numbers.begin() + n * inputs + first;
        const auto end = begin + std::min(kWeightGroup, inputs - first);
        const auto [low, high] = std::minmax_element(begin, end);
        const double range = format == WeightFormat::int8
                                 ? 2 * std::max(std::abs(*low), std::abs(*high))
                                 : *high - *low;
        for (auto it = begin; it != end; ++it) {
          EXPECT_NEAR(row[static_cast<size_t>(first + (it - begin))], *it,
                      range / steps * 0.5001 + 1e-7);
        }
      }
    }
  }
}

TEST(GroupedWeights, Int8IsWithinHalfAStep) { expect_within_half_a_step(WeightFormat::int8, 254); }

TEST(GroupedWeights, Int4IsWithinHalfAStep) { expect_within_half_a_step(WeightFormat::int4, 15); }

TEST(GroupedWeights, EqualNumbersStay) {
  for (const auto format : {WeightFormat::int8, WeightFormat::int4}) {
    for (const float number : {0.0F, -0.75F}) {
      const std::vector<float> numbers(70, number);
      for (const float got : GroupedWeights(format, numbers, 1, 70).row(0)) {
        EXPECT_NEAR(got, number, 1e-7);
      }
    }
  }
}

TEST(GroupedWeights, TakeWhatTheHeaderSays) {
  const auto numbers = normal_numbers(10 * 576);
  EXPECT_EQ(GroupedWeights(WeightFormat::int8, numbers, 10, 576).bytes() * 8, 10 * 576 * 8.5);
  EXPECT_EQ(GroupedWeights(WeightFormat::int4, numbers, 10, 576).bytes() * 8, 10 * 576 * 5);
}

}  // namespace
}  // namespace sightline
