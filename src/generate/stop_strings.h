#pragma once
// Strings that end an answer. They are looked for in its text and not among its tokens: a stop
// string may begin and end inside a token, and a character may be spread over several.
//
// A search ends with the token that completes the first of them, and the answer's text ends before
// it; where one token completes several, before the one that begins first. The tokens and their
// log-probabilities keep all that was generated.

#include "text/tokenizer.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sightline {

// `text` up to the first of `stops`; all of it where none occurs.
std::string_view before_stop(std::string_view text, std::span<const std::string> stops);

class StopStrings {
 public:
  StopStrings() = default;  // nothing stops
  // No string may be empty (asserted): every text would hold it.
  StopStrings(const Tokenizer& tokenizer, std::vector<std::string> strings);

  // Does the text of these tokens, special ones left out, hold one of the strings?
  bool are_in(std::span<const int32_t> tokens) const;

 private:
  std::optional<Tokenizer> tokenizer_;
  std::vector<std::string> strings_;
};

}  // namespace sightline
