#include "base/commonest.h"

#include "base/error.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

namespace sightline {

const std::string& commonest(std::span<const std::string> texts) {
  SL_ASSERT(!texts.empty(), "the commonest of no texts");
  std::unordered_map<std::string_view, size_t> times;
  for (const std::string& text : texts) ++times[text];
  return *std::ranges::max_element(texts, {},
                                   [&](const std::string& text) { return times.at(text); });
}

}  // namespace sightline
