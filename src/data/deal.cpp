#include "data/deal.h"

#include "base/error.h"

#include <algorithm>
#include <numeric>

namespace sightline {

MicroBatchWork work_of(std::span<const PreparedSample> samples) {
  MicroBatchWork work;
  for (const PreparedSample& prepared : samples) {
    work.rows += prepared.rows;
    work.images += prepared.images;
    work.predictions += prepared.predictions;
    work.scores += prepared.rows * prepared.rows;
  }
  return work;
}

std::vector<int64_t> deal(std::span<const double> costs, int64_t ranks) {
  SL_ASSERT(ranks > 0, "{} ranks", ranks);
  std::vector<size_t> order(costs.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return costs[a] > costs[b]; });
  std::vector<double> loads(static_cast<size_t>(ranks), 0.0);
  std::vector<int64_t> owners(costs.size());
  for (const size_t each : order) {
    const auto least = std::ranges::min_element(loads);  // the first of several
    *least += costs[each];
    owners[each] = least - loads.begin();
  }
  return owners;
}

}  // namespace sightline
