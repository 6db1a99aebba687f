#include "data/line_file.h"

#include "base/error.h"

#include <algorithm>

namespace sightline {

namespace {

constexpr std::string_view kSpace = " \t\r\n\v\f";
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

constexpr size_t kEvery = 64;  // records, of which one's place is kept

}  // namespace

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

LineFile::LineFile(const std::filesystem::path& path) : path_(path.string()), file_(path) {
  Place place;
  if (text().starts_with(kByteOrderMark)) place.begin = kByteOrderMark.size();
  for (Record next = record_from(place); !next.text.empty(); next = record_from(next.after)) {
    check(next.at.row <= UINT32_MAX && next.text.size() <= UINT32_MAX,
          "{}:{}: the file is too long", path_, next.at.row);
    if (size_ % kEvery == 0) places_.push_back(next.at);
    ++size_;
  }
  check(size_ > 0, "{}: the file is empty: at least one line is needed", path_);
  places_.shrink_to_fit();
}

std::string_view LineFile::text() const {
  return {reinterpret_cast<const char*>(file_.bytes().data()), file_.bytes().size()};
}

LineFile::Record LineFile::record_from(Place place) const {
  while (place.begin < text().size()) {
    const size_t end = std::min(text().find('\n', place.begin), text().size());
    std::string_view line = text().substr(place.begin, end - place.begin);
    const Place after{end + 1, place.row + 1};
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!trimmed(line).empty()) return {line, place, after};
    place = after;
  }
  return {};
}

LineFile::Record LineFile::record(size_t number) const {
  SL_ASSERT(number < size_, "line {} of {}", number, size_);
  Record found = record_from(places_[number / kEvery]);
  for (size_t i = 0; i < number % kEvery; ++i) found = record_from(found.after);
  return found;
}

std::string_view LineFile::line(size_t number) const { return record(number).text; }

std::string LineFile::where(size_t number) const {
  return fmt::format("{}:{}", path_, record(number).at.row);
}

void LineFile::limit_to(size_t size) { size_ = std::min(size_, size); }

}  // namespace sightline
