#pragma once
// Packing by bounded look-ahead: of the waiting samples, the oldest fill most of a micro-batch, and
// those that fit the rest of it best are chosen among all. Every sample is used once; as the oldest
// always leaves, none waits for more micro-batches than samples waited before it.

#include <cstdint>
#include <deque>
#include <vector>

namespace sightline {

// One waiting item: an id of the caller's and the rows that it takes.
struct PackItem {
  uint64_t id = 0;
  int64_t rows = 0;
};

// Takes from `waiting` the items of one micro-batch of at most `capacity` rows; their order within
// it is that of arrival. Time: at most items x rows of the few largest items together. An item
// larger than `capacity` must have been refused before (asserted).
std::vector<PackItem> take_micro_batch(std::deque<PackItem>& waiting, int64_t capacity);

}  // namespace sightline
