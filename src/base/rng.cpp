#include "base/rng.h"

#include "base/error.h"

#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

namespace sightline {

namespace {

uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

constexpr uint64_t kGolden = 0x9e3779b97f4a7c15ULL;

}  // namespace

uint64_t derive_seed(uint64_t seed, std::string_view purpose, uint64_t number) {
  uint64_t value = mix(seed + kGolden);
  for (const char c : purpose) value = mix(value + kGolden + static_cast<unsigned char>(c));
  return mix(value + kGolden + number);
}

uint64_t Rng::next() { return mix(state_ += kGolden); }

uint64_t Rng::below(uint64_t bound) {
  SL_ASSERT(bound > 0, "nothing to draw from");
  const uint64_t threshold = -bound % bound;
  for (;;) {
    const uint64_t value = next();
    if (value >= threshold) return value % bound;
  }
}

double Rng::uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

double Rng::normal() {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

std::vector<uint32_t> permutation(size_t size, uint64_t seed) {
  std::vector<uint32_t> order(size);
  std::iota(order.begin(), order.end(), 0u);
  Rng rng(seed);
  for (size_t i = size; i > 1; --i) std::swap(order[i - 1], order[rng.below(i)]);
  return order;
}

}  // namespace sightline
