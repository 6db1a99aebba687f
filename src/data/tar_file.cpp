#include "data/tar_file.h"

#include "base/error.h"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace sightline {

namespace {

constexpr uint64_t kBlock = 512;
constexpr uint64_t kMostNameBytes = 1 << 20;  // of an extended header: names, times, owners

// The fields of a header that are needed, by their places in it.
constexpr size_t kName = 0, kSize = 124, kSum = 148, kKind = 156, kMagic = 257, kPrefix = 345;

std::string_view text_at(std::string_view block, size_t begin, size_t length) {
  const std::string_view field = block.substr(begin, length);
  return field.substr(0, std::min(field.find('\0'), field.size()));
}

// Octal digits between spaces; or, with the first bit set, the number itself (GNU, star).
std::optional<uint64_t> number_at(std::string_view block, size_t begin, size_t length) {
  std::string_view field = block.substr(begin, length);
  if ((static_cast<unsigned char>(field[0]) & 0x80) != 0) {
    uint64_t number = 0;
    for (const char c : field.substr(length - 8)) number = number << 8 | static_cast<uint8_t>(c);
    return number;
  }
  field = text_at(block, begin, length);
  field.remove_prefix(std::min(field.find_first_not_of(' '), field.size()));
  field = field.substr(0, field.find(' '));
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(field.begin(), field.end(), number, 8);
  if (error != std::errc() || end != field.end()) return std::nullopt;
  return number;
}

// The sum of a header's bytes, its own field taken as spaces.
uint64_t sum_of(std::string_view block) {
  uint64_t sum = 8 * ' ';
  for (size_t i = 0; i < block.size(); ++i) {
    if (i < kSum || i >= kSum + 8) sum += static_cast<unsigned char>(block[i]);
  }
  return sum;
}

uint64_t whole_blocks(uint64_t size) { return (size + kBlock - 1) / kBlock * kBlock; }

// What an extended header says of the file behind it: records "LENGTH KEY=VALUE\n".
struct Extended {
  std::string name;
  std::optional<uint64_t> size;

  // False where `records` are none.
  bool read_pax(std::string_view records) {
    while (!records.empty()) {
      uint64_t length = 0;
      const auto [end, error] = std::from_chars(records.begin(), records.end(), length);
      const auto digits = static_cast<size_t>(end - records.begin());
      if (error != std::errc() || length > records.size() || length < digits + 3) return false;
      const std::string_view record = records.substr(digits + 1, length - digits - 2);
      const size_t equals = record.find('=');
      if (equals == std::string_view::npos) return false;
      take(record.substr(0, equals), record.substr(equals + 1));
      records.remove_prefix(length);
    }
    return true;
  }

 private:
  void take(std::string_view key, std::string_view value) {
    if (key == "path") name = value;
    uint64_t number = 0;
    if (key == "size" && std::from_chars(value.begin(), value.end(), number).ec == std::errc()) {
      size = number;
    }
  }
};

}  // namespace

struct TarFile::Header {
  std::string name;
  uint64_t size = 0;
  char kind = '0';
  bool is_end = false;  // a block of zeros
};

TarFile::Header TarFile::header_at(uint64_t place) const {
  const std::string block = file_.read(place, std::min(kBlock, file_.size() - place));
  if (block.find_first_not_of('\0') == std::string::npos) return {.is_end = true};
  const auto size = block.size() == kBlock ? number_at(block, kSize, 12) : std::nullopt;
  const bool is_header = size && number_at(block, kSum, 8) == sum_of(block);
  check(is_header || place > 0 || !block.starts_with("\x1f\x8b"),
        "{}: is a compressed archive, in which no file can be found by its place: unpack it with "
        "gunzip",
        path_);
  check(is_header, "{}: is not a tar archive, or broken: no header at byte {}", path_, place);
  Header header{.name = std::string(text_at(block, kName, 100)), .size = *size};
  header.kind = block[kKind];
  // GNU's headers, "ustar  ", have other fields there.
  const std::string_view prefix = text_at(block, kPrefix, 155);
  if (text_at(block, kMagic, 6) == "ustar" && !prefix.empty()) {
    header.name = std::string(prefix) + "/" + header.name;
  }
  return header;
}

std::optional<TarMember> TarFile::next(uint64_t& place) const {
  Extended extended;
  while (place < file_.size()) {
    const Header header = header_at(place);
    if (header.is_end) return std::nullopt;
    const bool is_pax = header.kind == 'x', is_long_name = header.kind == 'L';
    if (is_pax || is_long_name) {
      check(header.size <= kMostNameBytes, "{}: a name of {} bytes at byte {}", path_, header.size,
            place);
      const std::string text = file_.read(place + kBlock, header.size);
      if (is_long_name) extended.name = text_at(text, 0, text.size());
      check(is_long_name || extended.read_pax(text), "{}: a broken extended header at byte {}",
            path_, place);
      place += kBlock + whole_blocks(header.size);
      continue;
    }
    const bool is_file = header.kind == '0' || header.kind == '\0' || header.kind == '7';
    const TarMember member{extended.name.empty() ? header.name : extended.name, place + kBlock,
                           extended.size.value_or(header.size)};
    extended = {};
    if (!is_file) {  // folders and links have no bytes, whatever they say of their size
      const bool has_bytes = header.kind < '1' || header.kind > '6';
      place += kBlock + (has_bytes ? whole_blocks(member.size) : 0);
      continue;
    }
    check(member.size <= file_.size() - std::min(file_.size(), member.begin),
          "{}: ends within {}: it has been cut short", path_, member.name);
    place = member.begin + whole_blocks(member.size);
    return member;
  }
  return std::nullopt;
}

}  // namespace sightline
