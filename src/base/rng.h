#pragma once
// A small random generator (SplitMix64) whose whole state is one number, so that a checkpoint can
// hold it, and whose results are the same on every platform (the standard distributions' are not).

#include <cstdint>
#include <string_view>
#include <vector>

namespace sightline {

// Mixes numbers and names into an independent seed: derive_seed(seed, "shuffle", epoch).
uint64_t derive_seed(uint64_t seed, std::string_view purpose, uint64_t number = 0);

class Rng {
 public:
  explicit Rng(uint64_t seed = 0) : state_(seed) {}

  uint64_t state() const { return state_; }
  void set_state(uint64_t state) { state_ = state; }

  uint64_t next();
  // Uniform in [0, bound), without bias. bound > 0.
  uint64_t below(uint64_t bound);
  // Uniform in [0, 1), 53 bits.
  double uniform();
  // Standard normal (Box-Muller, one value a call so that the state stays one number).
  double normal();

 private:
  uint64_t state_;
};

// A permutation of 0 .. size-1 (Fisher-Yates).
std::vector<uint32_t> permutation(size_t size, uint64_t seed);

}  // namespace sightline
