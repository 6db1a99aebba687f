#include "data/packer.h"

#include "base/error.h"

#include <algorithm>

namespace sightline {

namespace {

// Of waiting[first ..], the items whose rows sum nearest to `room` without passing it; of equal
// sums one made of older items. Subset sums, oldest item first, until a sum is exact.
std::vector<size_t> best_filling(const std::deque<PackItem>& waiting, size_t first, int64_t room) {
  constexpr size_t kUnreached = SIZE_MAX;
  std::vector<size_t> last_item(static_cast<size_t>(room) + 1, kUnreached);  // by sum
  std::vector<int64_t> sums = {0};
  last_item[0] = 0;
  for (size_t i = first; i < waiting.size() && last_item.back() == kUnreached; ++i) {
    const size_t sums_before = sums.size();
    for (size_t k = 0; k < sums_before; ++k) {
      const int64_t sum = sums[k] + waiting[i].rows;
      if (sum > room || last_item[sum] != kUnreached) continue;
      last_item[sum] = i;
      sums.push_back(sum);
    }
  }
  std::vector<size_t> chosen;
  for (int64_t sum = *std::max_element(sums.begin(), sums.end()); sum > 0;) {
    chosen.push_back(last_item[sum]);
    sum -= waiting[last_item[sum]].rows;
  }
  return chosen;
}

// Some items' worth of room is left to choose in: enough to find an exact sum among many items, and
// little to search.
constexpr int64_t kItemsToChoose = 4;

}  // namespace

std::vector<PackItem> take_micro_batch(std::deque<PackItem>& waiting, int64_t capacity) {
  if (waiting.empty()) return {};
  int64_t largest = 0;
  for (const PackItem& item : waiting) {
    SL_ASSERT(item.rows > 0 && item.rows <= capacity, "item {} of {} rows, capacity {}", item.id,
              item.rows, capacity);
    largest = std::max(largest, item.rows);
  }

  std::vector<bool> taken(waiting.size(), false);
  int64_t room = capacity - waiting[0].rows;
  size_t first = 1;
  taken[0] = true;
  while (first < waiting.size() && room - waiting[first].rows >= kItemsToChoose * largest) {
    room -= waiting[first].rows;
    taken[first++] = true;
  }
  for (const size_t index : best_filling(waiting, first, room)) taken[index] = true;

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
