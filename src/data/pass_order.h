#pragma once
// Inside data/: the order in which one pass over a data set takes its examples. Up to a few million
// it is a shuffled table (Fisher-Yates); beyond, a function of the position that takes no memory,
// so that 10^9 examples cost what 10^3 do: a Feistel network over the next power of four, walked
// until it falls inside (Black and Rogaway 2002, "Ciphers with arbitrary finite domains").

#include <cstdint>
#include <vector>

namespace sightline {

class PassOrder {
 public:
  static constexpr uint64_t kTableAtMost = uint64_t{1} << 22;  // 16 MiB

  PassOrder() = default;  // of nothing
  PassOrder(uint64_t size, uint64_t seed);

  // The example at `position`, below the size: each once.
  uint32_t at(uint64_t position) const;

 private:
  uint64_t mixed(uint64_t value) const;

  uint64_t size_ = 0;
  uint64_t seed_ = 0;
  std::vector<uint32_t> table_;  // empty for a large size
  int half_bits_ = 0;            // of the network's two halves
};

}  // namespace sightline
