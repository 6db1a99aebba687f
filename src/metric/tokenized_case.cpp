#include "metric/tokenized_case.h"

namespace sightline {
namespace {

// The length in bytes of the white space at the head of `text`; 0 if none stands there.
size_t white_length(std::string_view text) {
  const auto byte = [&](size_t at) {
    return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
  };
  const unsigned first = byte(0);
  if (first == ' ' || (first >= 0x09 && first <= 0x0d) || (first >= 0x1c && first <= 0x1f))
    return 1;
  if (first < 0x80) return 0;
  if (first == 0xc2) return byte(1) == 0xa0 || byte(1) == 0x85 ? 2 : 0;
  const unsigned last = byte(2);
  const bool general =
      first == 0xe2 && byte(1) == 0x80 &&
      ((last >= 0x80 && last <= 0x8a) || last == 0xa8 || last == 0xa9 || last == 0xaf);
  const bool other = (first == 0xe2 && byte(1) == 0x81 && last == 0x9f) ||
                     (first == 0xe3 && byte(1) == 0x80 && last == 0x80) ||
                     (first == 0xe1 && byte(1) == 0x9a && last == 0x80);
  return general || other ? 3 : 0;
}

}  // namespace

std::vector<std::string_view> split_words(std::string_view caption) {
  std::vector<std::string_view> words;
  size_t start = 0;
  for (size_t at = 0; at <= caption.size();) {
    const size_t white = at < caption.size() ? white_length(caption.substr(at)) : 1;
    if (white == 0) {
      ++at;
      continue;
    }
    if (at > start) words.push_back(caption.substr(start, at - start));
    at += white;
    start = at;
  }
  return words;
}

}  // namespace sightline
