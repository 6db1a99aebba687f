#pragma once
// A text file of one record a line, mapped, with only the lines' places in memory (16 bytes each).
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

  size_t size() const { return lines_.size(); }
  std::string_view line(size_t number) const;
  // "file:row" of a line; rows count from 1, blank ones too.
  std::string where(size_t number) const;
  // Forgets the lines from `size` on.
  void limit_to(size_t size);

 private:
  struct Line {
    uint64_t begin;
    uint32_t length;
    uint32_t row;
  };
  std::string path_;
  MappedFile file_;
  std::vector<Line> lines_;
};

// Without the white space (ASCII) at both ends.
std::string_view trimmed(std::string_view text);

}  // namespace sightline
