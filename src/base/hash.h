#pragma once
// Content keys: XXH3-128 of bytes, as 32 hexadecimal characters.

#include <span>
#include <string>
#include <string_view>

namespace sightline {

std::string content_key(std::span<const std::byte> bytes);
std::string content_key(std::string_view text);

}  // namespace sightline
