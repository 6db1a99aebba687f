#include "data/pass_order.h"

#include "base/error.h"
#include "base/rng.h"

#include <bit>

namespace sightline {

namespace {
constexpr uint64_t kRounds = 6;
}

PassOrder::PassOrder(uint64_t size, uint64_t seed) : size_(size), seed_(seed) {
  SL_ASSERT(size <= UINT32_MAX, "a pass of {} examples", size);
  if (size <= kTableAtMost) {
    table_ = permutation(size, seed);
  } else {
    half_bits_ = (std::bit_width(size - 1) + 1) / 2;
  }
}

// One to one on [0, 4^half_bits): each round can be undone.
uint64_t PassOrder::mixed(uint64_t value) const {
  const uint64_t mask = (uint64_t{1} << half_bits_) - 1;
  uint64_t left = value >> half_bits_, right = value & mask;
  for (uint64_t round = 0; round < kRounds; ++round) {
    const uint64_t key = seed_ ^ (round << 56) ^ right;
    const uint64_t next = left ^ (Rng(key).next() & mask);
    left = right;
    right = next;
  }
  return left << half_bits_ | right;
}

// The network is less than 4 times the size: as many turns at most on average.
uint32_t PassOrder::at(uint64_t position) const {
  SL_ASSERT(position < size_, "position {} of {}", position, size_);
  if (!table_.empty()) return table_[position];
  uint64_t value = mixed(position);
  while (value >= size_) value = mixed(value);
  return static_cast<uint32_t>(value);
}

}  // namespace sightline
