#include "base/error.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace sightline {

void assertion_failed(std::string_view expression, std::string_view detail,
                      std::source_location where) {
  throw AssertionError(fmt::format("{}:{}: {} does not hold: {}", where.file_name(), where.line(),
                                   expression, detail));
}

namespace {

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substitute = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitute});
    }
  }
  return row.back();
}

}  // namespace

std::string nearest_name(std::string_view name, const std::string* first, const std::string* last) {
  std::string best;
  size_t best_distance = std::max<size_t>(2, name.size() / 3) + 1;
  for (; first != last; ++first) {
    const size_t distance = edit_distance(name, *first);
    // At the longer one's length every letter was replaced: no suggestion, however short both are.
    if (distance < best_distance && distance < std::max(name.size(), first->size())) {
      best_distance = distance;
      best = *first;
    }
  }
  return best;
}

}  // namespace sightline
