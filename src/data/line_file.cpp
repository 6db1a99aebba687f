#include "data/line_file.h"

#include "base/error.h"

#include <algorithm>

namespace sightline {

namespace {

constexpr std::string_view kSpace = " \t\r\n\v\f";
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

std::string_view text_of(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

LineFile::LineFile(const std::filesystem::path& path) : path_(path.string()), file_(path) {
  const std::string_view text = text_of(file_);
  size_t begin = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  for (uint64_t row = 1; begin < text.size(); ++row) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    check(row <= UINT32_MAX && line.size() <= UINT32_MAX, "{}:{}: the file is too long", path_,
          row);
    if (!trimmed(line).empty()) {
      lines_.push_back({begin, static_cast<uint32_t>(line.size()), static_cast<uint32_t>(row)});
    }
    begin = end + 1;
  }
  check(!lines_.empty(), "{}: the file is empty: at least one line is needed", path_);
  lines_.shrink_to_fit();
}

std::string_view LineFile::line(size_t number) const {
  return text_of(file_).substr(lines_[number].begin, lines_[number].length);
}

std::string LineFile::where(size_t number) const {
  return fmt::format("{}:{}", path_, lines_[number].row);
}

void LineFile::limit_to(size_t size) {
  if (size < lines_.size()) lines_.resize(size);
}

}  // namespace sightline
