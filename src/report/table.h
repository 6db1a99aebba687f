#pragma once
// Numbers and tables as text.

#include <cstdint>
#include <string>
#include <vector>

namespace sightline {

// 1234567 -> "1,234,567"
std::string grouped(int64_t number);

// Lines of equally many cells: the first column to the left, the others to the right, two spaces
// between columns. `indent` stands before each line.
std::string table_text(const std::vector<std::vector<std::string>>& lines,
                       const std::string& indent = "");

// Whole numbers counted into at most `most` ranges of equal width, from the least to the greatest.
struct Bin {
  int64_t first = 0, last = 0;  // both belong to it
  int64_t count = 0;
};
std::vector<Bin> bins_of(const std::vector<int64_t>& values, int64_t most);

// A line a bin: its range, a bar, its count and share.
std::string histogram_text(const std::vector<Bin>& bins);

}  // namespace sightline
