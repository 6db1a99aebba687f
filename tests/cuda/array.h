#pragma once
// Arrays as the GPU's kernels take them, in the CPU's memory.

#include "base/rng.h"
#include "cuda/numbers.h"

#include <cstdint>
#include <type_traits>
#include <vector>

namespace sightline::test {

// An array in a kernel's own numbers, at an address of packs.
template <class Number>
class Array {
 public:
  explicit Array(int64_t size) : memory_(static_cast<size_t>(size / 8 + 1)) {}
  Array(int64_t size, uint64_t seed, double deviation = 1) : Array(size) {
    Rng rng(seed);
    for (int64_t i = 0; i < size; ++i) {
      gpu::put(data()[i], static_cast<float>(rng.normal() * deviation));
    }
  }
  Number* data() const { return memory_.data()->at; }
  double at(int64_t i) const { return static_cast<double>(gpu::float_of(data()[i])); }

 private:
  mutable std::vector<gpu::Pack<Number, 8>> memory_;
};

template <class Number>
inline constexpr double kRounding = std::is_same_v<Number, float> ? 4e-7 : 1.0 / 256 + 1e-6;

}  // namespace sightline::test
