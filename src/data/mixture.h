#pragma once
// The order in which a stage draws from its mixture. An epoch is `epochs` passes over the first
// entry, each pass in a fresh order; the others are drawn by weight until their `repeats` passes
// are spent, each pass without repeats. A function of (sizes, weights, seed) alone, with a state
// that a checkpoint can hold. Every entry has at least one example and the first a weight above 0
// (asserted).

#include "base/json.h"
#include "base/rng.h"
#include "data/pass_order.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

namespace sightline {

struct Draw {
  uint32_t entry = 0;   // of the mixture
  uint32_t number = 0;  // example of that entry's dataset
  uint64_t pass = 0;    // how often this entry had been gone through before
};

class MixtureStream {
 public:
  struct Entry {
    size_t size = 0;
    double weight = 1.0;
    double repeats = kNoBound;  // passes after which it is spent; not asked of the first entry
  };
  static constexpr double kNoBound = std::numeric_limits<double>::infinity();
  MixtureStream(std::vector<Entry> entries, double epochs, uint64_t seed);

  // Nothing when the first entry's `epochs` passes are drawn.
  std::optional<Draw> next();
  // Share of the first entry's draws that is behind us, 0 .. 1.
  double progress() const;

  Json state() const;
  // A state of other data (another number of entries or examples) is an Error.
  void restore(const Json& state);

 private:
  struct Cursor {
    uint64_t drawn = 0;
    uint64_t pass_of_order = UINT64_MAX;
    PassOrder order;
  };
  bool is_spent(size_t entry) const;
  uint32_t choose_entry();

  std::vector<Entry> entries_;
  uint64_t total_first_ = 0;  // draws of the first entry that the stage is
  uint64_t seed_;
  Rng rng_;
  std::vector<Cursor> cursors_;
};

}  // namespace sightline
