#pragma once
// A drawing of packed rows: who may look at whom, in spans of rows that belong together. As a
// self-contained SVG to scale, for light and dark pages, and as text for a terminal.

#include "report/grid.h"

#include <cstdint>
#include <string>
#include <vector>

namespace sightline {

// Rows [begin, end) that are of one kind and belong together; they stand side by side and cover
// all.
struct RowSpan {
  int64_t begin = 0, end = 0;
  size_t kind = 0;  // among RowMap::kinds
  std::string label;
  size_t document = 0;  // among RowMap::documents
};

// Rows [query_begin, query_end) see rows [key_begin, key_end): all of them, or, where `lower`, each
// those up to itself (the two ranges are then the same).
struct RowArea {
  enum class Shape { full, lower };
  int64_t query_begin = 0, query_end = 0, key_begin = 0, key_end = 0;
  Shape shape = Shape::full;
};

struct RowMap {
  std::string title;
  std::vector<GridKind> kinds;
  std::vector<std::string> documents;  // what each is called
  std::vector<RowSpan> spans;
  std::vector<RowArea> areas;  // they don't overlap

  int64_t rows() const { return spans.empty() ? 0 : spans.back().end; }
};

// All rows to scale; beside them the first documents, as many as have at most `near_rows` rows (one
// at least), larger and with their labels.
std::string row_map_svg(const RowMap& map, int64_t near_rows);

// The first `documents` as a square of spans: "#" the line's span sees all of the column's, "\"
// each of its rows what is not behind it, "." nothing.
std::string row_map_text(const RowMap& map, size_t documents);

}  // namespace sightline
