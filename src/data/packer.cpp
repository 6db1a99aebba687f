#include "data/packer.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"

namespace sightline {

std::vector<PackItem> take_micro_batch(std::deque<PackItem>& waiting, int64_t capacity) {
  if (waiting.empty()) return {};
  for (const PackItem& item : waiting) {
    SL_ASSERT(item.rows > 0 && item.rows <= capacity, "item {} of {} rows, capacity {}", item.id,
              item.rows, capacity);
  }

  // The room left only shrinks, so an item that does not fit when its turn comes never will: one
  // pass from the largest to the smallest takes, each time, the largest that still fits.
  std::vector<size_t> by_size(waiting.size() - 1);
  std::iota(by_size.begin(), by_size.end(), size_t{1});
  std::stable_sort(by_size.begin(), by_size.end(),
                   [&](size_t a, size_t b) { return waiting[a].rows > waiting[b].rows; });

  std::vector<bool> taken(waiting.size(), false);
  taken[0] = true;
  int64_t room = capacity - waiting[0].rows;
  for (const size_t index : by_size) {
    if (waiting[index].rows > room) continue;
    taken[index] = true;
    room -= waiting[index].rows;
  }

  std::vector<PackItem> micro_batch;
  std::deque<PackItem> left;
  for (size_t i = 0; i < waiting.size(); ++i) {
    if (taken[i]) {
      micro_batch.push_back(waiting[i]);
    } else {
      left.push_back(waiting[i]);
    }
  }
  waiting = std::move(left);
  return micro_batch;
}

}  // namespace sightline
