#pragma once
// GPT-2's alphabet: every byte written as one printable character, so that a vocabulary of bytes
// can stand in a JSON file. Source: openai/gpt-2 encoder.py, bytes_to_unicode.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sightline {

// The character (as UTF-8) that stands for each byte.
const std::array<std::string, 256>& byte_characters();

// The byte that a character stands for.
std::optional<uint8_t> byte_of_character(char32_t character);

std::string bytes_to_characters(std::string_view bytes);

// Nothing when a character of `text` stands for no byte.
std::optional<std::string> characters_to_bytes(std::string_view text);

}  // namespace sightline
