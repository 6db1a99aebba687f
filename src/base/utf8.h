#pragma once
// Code points as UTF-8.

#include <string>

namespace sightline {

// Appends the one to four bytes of `code_point`, which is at most U+10FFFF.
void append_utf8(std::string& text, char32_t code_point);

}  // namespace sightline
