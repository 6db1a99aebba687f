#include "metric/token_overlap.h"

#include "base/error.h"
#include "metric/ptb_characters.h"
#include "metric/tokenized_case.h"

#include <algorithm>
#include <iterator>
#include <vector>

namespace sightline {
namespace {

bool is_ascii_mark(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > 0x20 && byte < 0x7f && !is_ascii_alnum(byte);
}

bool is_article(std::string_view word) { return word == "a" || word == "an" || word == "the"; }

std::vector<std::string> sorted_words(std::string_view text) {
  std::string lower;
  append_lower(lower, decode_utf8(text));
  std::erase_if(lower, is_ascii_mark);
  std::vector<std::string> words;
  for (const std::string_view word : split_words(lower)) {
    if (!is_article(word)) words.emplace_back(word);
  }
  std::ranges::sort(words);
  return words;
}

}  // namespace

TokenOverlap token_overlap(std::string_view answer, std::string_view reference) {
  const std::vector<std::string> said = sorted_words(answer), expected = sorted_words(reference);
  if (said.empty() || expected.empty()) {
    const double both = said.empty() && expected.empty() ? 1.0 : 0.0;
    return {both, both};
  }
  std::vector<std::string> shared;
  std::ranges::set_intersection(said, expected, std::back_inserter(shared));
  if (shared.empty()) return {};
  const auto count = static_cast<double>(shared.size());
  const double precision = count / static_cast<double>(said.size());
  const double recall = count / static_cast<double>(expected.size());
  return {2 * precision * recall / (precision + recall), recall};
}

TokenOverlap token_overlap(std::string_view answer, std::span<const std::string> references) {
  SL_ASSERT(!references.empty(), "no reference to compare words with");
  TokenOverlap best;
  for (const std::string& reference : references) {
    const TokenOverlap each = token_overlap(answer, reference);
    best = {std::max(best.f1, each.f1), std::max(best.recall, each.recall)};
  }
  return best;
}

}  // namespace sightline
