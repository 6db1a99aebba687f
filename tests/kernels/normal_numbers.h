#pragma once
// Random numbers for the kernels' tests: the same for a seed.

#include "base/rng.h"

#include <cstdint>
#include <vector>

namespace sightline {

inline std::vector<float> normal_numbers(int64_t count, uint64_t seed, double deviation = 1) {
  Rng rng(seed);
  std::vector<float> numbers(static_cast<size_t>(count));
  for (float& number : numbers) number = static_cast<float>(rng.normal() * deviation);
  return numbers;
}

}  // namespace sightline
