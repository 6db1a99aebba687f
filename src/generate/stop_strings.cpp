#include "generate/stop_strings.h"

#include "base/error.h"

#include <algorithm>

namespace sightline {

std::string_view before_stop(std::string_view text, std::span<const std::string> stops) {
  size_t end = text.size();
  for (const std::string& stop : stops) end = std::min(end, text.find(stop));
  return text.substr(0, end);
}

StopStrings::StopStrings(const Tokenizer& tokenizer, std::vector<std::string> strings)
    : tokenizer_(tokenizer), strings_(std::move(strings)) {
  for (const std::string& each : strings_) SL_ASSERT(!each.empty(), "an empty stop string");
}

bool StopStrings::are_in(std::span<const int32_t> tokens) const {
  if (strings_.empty()) return false;
  const std::string text = tokenizer_->decode(tokens, {DecodeSpecial::skip});
  return before_stop(text, strings_).size() < text.size();
}

}  // namespace sightline
