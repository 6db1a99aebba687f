#pragma once
// Tokens found in text as whole strings, before it is normalized or split into words.
// Source: huggingface/tokenizers, tokenizer/added_vocabulary.rs (leftmost longest match).

#include "text/regex.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sightline {

struct AddedToken {
  int32_t id = -1;
  std::string content;
  bool single_word = false;  // only where no word character stands beside it
  bool lstrip = false;       // takes the white space before it
  bool rstrip = false;       // takes the white space after it
  bool normalized = false;   // looked for in normalized text, by its normalized content
  bool special = false;      // steers the model; skipped by decode, never made from a user's text
};

// Whether special tokens written out in a text become their ids.
enum class SpecialTokens {
  parse,    // as Hugging Face does by default
  as_text,  // they are words like any other: for text that users write
};

class AddedTokenMatcher {
 public:
  AddedTokenMatcher();
  // `pattern` is the token's content, normalized where it says so. Empty patterns never match.
  void add(const AddedToken& token, std::string pattern);

  struct Segment {
    std::string_view text;
    int32_t id = -1;  // >= 0: an added token
  };
  // Non-empty segments that cover `text` in order.
  std::vector<Segment> split(std::string_view text, SpecialTokens special,
                             RegexScratch& scratch) const;

 private:
  struct Entry {
    AddedToken token;
    std::string pattern;
  };
  const Entry* match_at(std::string_view text, size_t at) const;
  bool word_beside(std::string_view text, size_t begin, size_t end, RegexScratch& scratch) const;

  std::vector<std::vector<Entry>> by_first_byte_;  // longest pattern first
  bool empty_ = true;
  Regex word_at_end_;
  Regex word_at_start_;
  Regex space_at_end_;
  Regex space_at_start_;
};

}  // namespace sightline
