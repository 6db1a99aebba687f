#pragma once
// One token at the head of the rest of the text. Like the generated scanner that coco-caption runs,
// ours takes the rule that sees furthest, counting what it only looks ahead at; of several that see
// equally far the first wins.

#include <cstddef>
#include <string_view>

namespace sightline {

using PtbText = std::u32string_view;

enum class PtbForm {
  kText,      // the characters, in lower case, with brackets and entities rewritten
  kClitic,    // likewise, and with a plain apostrophe
  kVerbatim,  // the characters, in lower case
  kReplaced,  // `replacement` stands in their place
  kNothing,   // white space, an unknown character, or punctuation that coco-caption removes
};

struct PtbMatch {
  size_t seen = 0;    // characters taken and looked ahead at: the longest wins; 0 is no match
  size_t length = 0;  // characters taken
  PtbForm form = PtbForm::kText;
  std::string_view replacement;
};

// The better of two, the first where they tie.
inline PtbMatch longer(const PtbMatch& first, const PtbMatch& second) {
  return second.seen > first.seen ? second : first;
}

inline PtbMatch text_match(size_t length) { return {length, length}; }

// The character at `at`, or 0 past the end.
inline char32_t peek(PtbText text, size_t at) { return at < text.size() ? text[at] : U'\0'; }

// The length of 's, 'm, 'd, 'll, 're or 've at `at`; 0 if there is none.
size_t ptb_clitic(PtbText text, size_t at);

// The token at the head of `text`, at least one character. `text` must not be empty.
PtbMatch match_ptb_token(PtbText text);

// Parts of it, each in the file of its name.
PtbMatch match_ptb_word(PtbText text);         // ptb_words.cpp: letters, then letters and digits
PtbMatch match_ptb_joined_word(PtbText text);  // ptb_words.cpp: well-known, and/or, AT&T, C++
PtbMatch match_ptb_apostrophe(PtbText text);   // ptb_apostrophes.cpp: starts with '
PtbMatch match_ptb_apostrophe_word(PtbText text);  // ptb_apostrophes.cpp: o'clock, c'mon
PtbMatch match_ptb_contraction(PtbText text);      // ptb_apostrophes.cpp: what precedes n't and 's
PtbMatch match_ptb_abbreviation(PtbText text);     // ptb_abbreviations.cpp: Mr., U.S., no. 5
PtbMatch match_ptb_number(PtbText text);     // ptb_numbers.cpp: numbers, fractions, telephones
PtbMatch match_ptb_address(PtbText text);    // ptb_addresses.cpp: URL, e-mail, @name, #tag
PtbMatch match_ptb_file_name(PtbText text);  // ptb_addresses.cpp: 2.jpg
PtbMatch match_ptb_tag(PtbText text);        // ptb_addresses.cpp: <b>, </b>, <!-- ... -->
PtbMatch match_ptb_smiley(PtbText text);     // ptb_symbols.cpp
PtbMatch match_ptb_symbol(PtbText text);     // ptb_symbols.cpp: all that is left

}  // namespace sightline
