#pragma once
// A data table looked through whole: every example read and encoded, every picture decoded. For
// `sightline data check`, before a run finds out.

#include "batch/compose.h"
#include "data/dataset.h"
#include "data/row_bounds.h"
#include "sample/encoder.h"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace sightline {

struct CheckOptions {
  const SampleEncoder* encoder = nullptr;  // null: words are not counted
  ComposeOptions compose;
  RowBounds bounds;
  int64_t workers = 1;
  std::function<void(size_t seen)> progress;  // called now and then; may be empty
};

struct TableCheck {
  std::string name;
  int64_t samples = 0;
  int64_t conversations = 0;
  int64_t rows = 0;                   // as packed; of good samples, as all below
  int64_t supervised = 0;             // tokens to learn
  int64_t longest = 0;                // rows of the longest conversation
  std::array<int64_t, 32> lengths{};  // conversations of 2^(i-1) < rows <= 2^i
  std::vector<std::string> problems;  // of bad samples, in their order
  // Where a picture's content (its decoded pixels) is found: names, each once, in order.
  std::map<std::string, std::vector<std::string>> places_of_picture;

  int64_t bad() const { return static_cast<int64_t>(problems.size()); }
};

TableCheck check_table(const std::string& name, const Dataset& dataset,
                       const CheckOptions& options);

// One picture under several names: of one table or of two.
struct SamePicture {
  std::string first, second;
};
std::vector<SamePicture> duplicates_in(const TableCheck& table);
std::vector<SamePicture> shared_by(const TableCheck& a, const TableCheck& b);

}  // namespace sightline
