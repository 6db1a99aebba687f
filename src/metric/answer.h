#pragma once
// Whether a short answer is the expected one.

#include <span>
#include <string>
#include <string_view>

namespace sightline {

// Lower case, white space trimmed and folded to single spaces, one full stop at the end removed
// (and the space before it). Nothing else: articles, number words and other punctuation count.
std::string normalize_answer(std::string_view answer);

// Equal after normalize_answer. An empty answer matches only an empty reference.
bool exact_match(std::string_view answer, std::string_view reference);

// Any of the references.
bool exact_match(std::string_view answer, std::span<const std::string> references);

enum class YesNo { neither, yes, no };

// By the first word of the normal form (metric/vqa_accuracy.h): "Yes, it is." says yes.
YesNo yes_no_said(std::string_view answer);

// The whole of the normal form: "yes" expects a yes, "no evidence" expects neither.
YesNo yes_no_expected(std::string_view reference);

}  // namespace sightline
