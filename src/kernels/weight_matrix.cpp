#include "kernels/weight_matrix.h"

#include "base/error.h"

#include <algorithm>
#include <cmath>

namespace sightline {
namespace {

constexpr int64_t kHalfGroup = kWeightGroup / 2;

// To the nearest integer, to the even one of two, for numbers below 2^22: without SSE4.1
// std::nearbyint is a call.
inline float nearest(float number) {
  constexpr float kNoFraction = 1.5F * (1 << 23);
  return (number + kNoFraction) - kNoFraction;
}

// `numbers` are at most a group's; what is missing becomes 0.
void round_to_int8(std::span<const float> numbers, uint8_t* values, float* group) {
  float largest = 0;
  for (const float number : numbers) largest = std::max(largest, std::abs(number));
  group[0] = largest / 127.0F;
  const float inverse = largest > 0 ? 127.0F / largest : 0.0F;
  for (size_t i = 0; i < numbers.size(); ++i) {
    values[i] = static_cast<uint8_t>(static_cast<int8_t>(nearest(numbers[i] * inverse)));
  }
}

void round_to_int4(std::span<const float> numbers, uint8_t* values, float* group) {
  const auto [low, high] = std::minmax_element(numbers.begin(), numbers.end());
  group[0] = (*high - *low) / 15.0F;
  group[1] = *low;
  const float inverse = *high > *low ? 15.0F / (*high - *low) : 0.0F;
  for (size_t i = 0; i < numbers.size(); ++i) {
    const auto q = static_cast<uint8_t>(nearest((numbers[i] - *low) * inverse));
    const auto at = static_cast<int64_t>(i);
    values[at % kHalfGroup] |= static_cast<uint8_t>(at < kHalfGroup ? q : q << 4);
  }
}

}  // namespace

GroupedWeights::GroupedWeights(WeightFormat format, std::span<const float> weights_NK,
                               int64_t outputs, int64_t inputs)
    : format_(format), outputs_(outputs), inputs_(inputs) {
  SL_ASSERT(format == WeightFormat::int8 || format == WeightFormat::int4, "weights in groups");
  SL_ASSERT(static_cast<int64_t>(weights_NK.size()) == outputs * inputs, "{} weights for {} x {}",
            weights_NK.size(), outputs, inputs);
  const bool is_int8 = format == WeightFormat::int8;
  const int64_t groups = weight_groups(inputs), numbers = is_int8 ? 1 : 2;
  const int64_t bytes = is_int8 ? kWeightGroup : kHalfGroup;
  values_.resize(static_cast<size_t>(outputs * groups * bytes));
  groups_.resize(static_cast<size_t>(outputs * groups * numbers));
  for (int64_t group = 0; group < outputs * groups; ++group) {
    const int64_t first = group % groups * kWeightGroup;
    const auto part =
        weights_NK.subspan(static_cast<size_t>(group / groups * inputs + first),
                           static_cast<size_t>(std::min(kWeightGroup, inputs - first)));
    const auto round = is_int8 ? round_to_int8 : round_to_int4;
    round(part, values_.data() + group * bytes, groups_.data() + group * numbers);
  }
}

WeightMatrix GroupedWeights::matrix() const {
  return {format_, values_.data(), groups_.data(), outputs_, inputs_};
}

std::vector<float> GroupedWeights::row(int64_t output) const {
  const int64_t groups = weight_groups(inputs_);
  std::vector<float> numbers;
  for (int64_t i = 0; i < inputs_; ++i) {
    const int64_t group = output * groups + i / kWeightGroup, at = i % kWeightGroup;
    if (format_ == WeightFormat::int8) {
      const auto q = static_cast<int8_t>(values_[static_cast<size_t>(group * kWeightGroup + at)]);
      numbers.push_back(groups_[static_cast<size_t>(group)] * static_cast<float>(q));
      continue;
    }
    const uint8_t both = values_[static_cast<size_t>(group * kHalfGroup + at % kHalfGroup)];
    const int q = at < kHalfGroup ? both & 15 : both >> 4;
    const float* const numbers_of_group = groups_.data() + 2 * group;
    numbers.push_back(std::fma(static_cast<float>(q), numbers_of_group[0], numbers_of_group[1]));
  }
  return numbers;
}

int64_t GroupedWeights::bytes() const {
  return static_cast<int64_t>(values_.size() + groups_.size() * sizeof(float));
}

}  // namespace sightline
