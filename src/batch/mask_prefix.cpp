// prefix: from the start to just before the first supervised token; none if nothing is supervised.
// The block depends on where the conversation's answer begins, so each has a trunk of its own.

#include "batch/mask_rule.h"

#include <algorithm>

namespace sightline {
namespace {

std::vector<int32_t> prefix_block(const Rows& rows, int64_t) {
  std::vector<int32_t> blocks(rows.tokens.size(), kNoBlock);
  const auto first = std::find(rows.supervised.begin(), rows.supervised.end(), 1);
  if (first != rows.supervised.end() || rows.awaits_answer) {
    std::fill_n(blocks.begin(), first - rows.supervised.begin(), 0);
  }
  return blocks;
}

}  // namespace

MaskRule mask_prefix() { return {Trunk::own, prefix_block}; }

}  // namespace sightline
