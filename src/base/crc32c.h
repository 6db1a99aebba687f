#pragma once
// CRC-32C (Castagnoli's polynomial, reflected; RFC 3720, B.4), by a table of bytes.

#include <cstdint>
#include <string_view>

namespace sightline {

uint32_t crc32c(std::string_view bytes);

}  // namespace sightline
