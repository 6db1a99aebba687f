#pragma once
// UTF-8: what is valid, and what becomes of what is not.
// Invalid bytes are never an error here: each maximal invalid part becomes one U+FFFD, as WHATWG's
// decoder, Python's errors="replace" and Rust's from_utf8_lossy do.

#include "base/utf8.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace sightline {

inline constexpr char32_t kReplacementCharacter = 0xFFFD;

struct CodePoint {
  char32_t value = kReplacementCharacter;
  size_t length = 1;   // bytes taken
  bool valid = false;  // false: `length` bytes are one maximal invalid part
};

// The code point that starts at text[at]; at < text.size().
CodePoint code_point_at(std::string_view text, size_t at);

bool is_valid_utf8(std::string_view text);

// `text` with each maximal invalid part replaced by U+FFFD.
std::string to_valid_utf8(std::string_view text);

}  // namespace sightline
