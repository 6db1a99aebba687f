#pragma once
// Whether a short answer is the expected one.

#include <string>
#include <string_view>

namespace sightline {

// Lower case, white space trimmed and folded to single spaces, one full stop at the end removed
// (and the space before it). Nothing else: articles, number words and other punctuation count.
std::string normalize_answer(std::string_view answer);

// Equal after normalize_answer. An empty answer matches only an empty reference.
bool exact_match(std::string_view answer, std::string_view reference);

}  // namespace sightline
