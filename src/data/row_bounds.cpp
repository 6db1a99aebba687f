#include "data/row_bounds.h"

#include "base/error.h"

#include <algorithm>

namespace sightline {

int64_t tighter(int64_t a, int64_t b) { return a == 0 || b == 0 ? a + b : std::min(a, b); }

int64_t rows_within(const RowBounds& bounds, const Sample& sample, const ComposeOptions& options) {
  size_t longest = 0;
  for (const Rows& rows : sample.conversations) longest = std::max(longest, rows.tokens.size());
  check(bounds.conversation == 0 || static_cast<int64_t>(longest) <= bounds.conversation,
        "{}: the conversation takes {} rows, the model at most {}: shorten it", sample.where,
        longest, bounds.conversation);
  const int64_t rows = packed_rows(sample, options);
  check(bounds.sample == 0 || rows <= bounds.sample,
        "{}: the sample takes {} rows, more than micro_tokens = {}: raise micro_tokens",
        sample.where, rows, bounds.sample);
  return rows;
}

}  // namespace sightline
