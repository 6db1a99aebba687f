#include "report/table.h"

#include "base/error.h"

#include <algorithm>

namespace sightline {

std::string grouped(int64_t number) {
  std::string text = fmt::format("{}", number);
  const int64_t first_digit = number < 0 ? 1 : 0;
  for (auto at = static_cast<int64_t>(text.size()) - 3; at > first_digit; at -= 3) {
    text.insert(static_cast<size_t>(at), 1, ',');
  }
  return text;
}

std::string table_text(const std::vector<std::vector<std::string>>& lines,
                       const std::string& indent) {
  if (lines.empty()) return {};
  std::vector<size_t> widths(lines.front().size());
  for (const auto& line : lines) {
    SL_ASSERT(line.size() == widths.size(), "{} cells in a line of {}", line.size(), widths.size());
    for (size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  std::string text;
  for (const auto& line : lines) {
    text += indent + fmt::format("{:<{}}", line.front(), widths.front());
    for (size_t i = 1; i < line.size(); ++i) text += fmt::format("  {:>{}}", line[i], widths[i]);
    while (text.back() == ' ') text.pop_back();
    text += "\n";
  }
  return text;
}

std::vector<Bin> bins_of(const std::vector<int64_t>& values, int64_t most) {
  if (values.empty()) return {};
  const auto [least, greatest] = std::ranges::minmax(values);
  const int64_t width = std::max<int64_t>(1, (greatest - least + most) / most);
  std::vector<Bin> bins;
  for (int64_t first = least; first <= greatest; first += width) {
    bins.push_back({first, first + width - 1, 0});
  }
  for (const int64_t value : values) ++bins[static_cast<size_t>((value - least) / width)].count;
  return bins;
}

std::string histogram_text(const std::vector<Bin>& bins) {
  constexpr int64_t kWidest = 40;
  int64_t total = 0, largest = 1;
  for (const Bin& bin : bins) {
    total += bin.count;
    largest = std::max(largest, bin.count);
  }
  std::vector<std::string> ranges;
  size_t width = 0;
  for (const Bin& bin : bins) {
    ranges.push_back(bin.first == bin.last ? fmt::format("{}", bin.first)
                                           : fmt::format("{}-{}", bin.first, bin.last));
    width = std::max(width, ranges.back().size());
  }
  std::string text;
  for (size_t i = 0; i < bins.size(); ++i) {
    // What is there is seen: a bin that holds anything has a bar.
    const int64_t length = (bins[i].count * kWidest + largest - 1) / largest;
    text +=
        fmt::format("  {:>{}}  {:<{}}  {} ({:.1f} %)\n", ranges[i], width,
                    std::string(static_cast<size_t>(length), '#'), kWidest, grouped(bins[i].count),
                    100.0 * static_cast<double>(bins[i].count) /
                        static_cast<double>(std::max<int64_t>(1, total)));
  }
  return text;
}

}  // namespace sightline
