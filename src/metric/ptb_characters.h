#pragma once
// What the tokenizer of coco-caption takes each character for. The table was observed by giving
// the Java program every character of the Basic Multilingual Plane in several surroundings; it
// also knows no character beyond that plane (emoji, say) and drops it.

#include "base/utf8.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace sightline {

enum class PtbClass : uint8_t {
  kDropped,  // unknown to it, or white space: ends a token and leaves no trace
  kSymbol,   // a token of its own
  kLetter,   // letters and digits of every script but 0-9
  kMark,     // combining marks and the like: inside words, but not beside a hyphen
  kDigit,    // 0-9
};

PtbClass ptb_class(char32_t character);

// White space of any script, line ends too.
inline bool is_ptb_white(char32_t c) {
  return c == U' ' || (c >= 0x09 && c <= 0x0d) || c == 0x85 || c == 0xa0 || c == 0x3000 ||
         (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029;
}

inline bool is_ascii_digit(char32_t c) { return c >= U'0' && c <= U'9'; }
inline bool is_ascii_letter(char32_t c) {
  return (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z');
}
inline bool is_ascii_alnum(char32_t c) { return is_ascii_letter(c) || is_ascii_digit(c); }
inline char32_t ascii_lower(char32_t c) { return c >= U'A' && c <= U'Z' ? c + 32 : c; }

// UTF-8 to code points; each byte that is not UTF-8 becomes U+FFFD (which is dropped).
std::u32string decode_utf8(std::string_view text);

// Appends `token` to `text` in lower case, as Java's String.toLowerCase has it for English.
void append_lower(std::string& text, std::u32string_view token);

}  // namespace sightline
