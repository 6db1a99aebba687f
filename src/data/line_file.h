#pragma once
// A text file of one record a line, mapped. In memory is the place of every 64th line alone, from
// which the others are found: a quarter of a byte a line, 250 MB for 10^9.
// Lines of white space alone hold no record and are passed over. A line's end may be "\n" or
// "\r\n"; a byte order mark at the start is not part of the text.

#include "base/file.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace sightline {

class LineFile {
 public:
  // A file without a record is an Error.
  explicit LineFile(const std::filesystem::path& path);

  size_t size() const { return size_; }
  std::string_view line(size_t number) const;
  // "file:row" of a line; rows count from 1, blank ones too.
  std::string where(size_t number) const;
  // Forgets the lines from `size` on.
  void limit_to(size_t size);

 private:
  struct Place {
    uint64_t begin = 0;
    uint64_t row = 1;
  };
  struct Record {
    std::string_view text;
    Place at, after;
  };
  // The first record at or behind a place; without text at the file's end.
  Record record_from(Place place) const;
  Record record(size_t number) const;
  std::string_view text() const;

  std::string path_;
  MappedFile file_;
  std::vector<Place> places_;
  size_t size_ = 0;
};

// Without the white space (ASCII) at both ends.
std::string_view trimmed(std::string_view text);

}  // namespace sightline
