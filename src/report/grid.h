#pragma once
// A square drawing of who may look at whom: a line and a column for each row of some text, a cell
// where the line's row may look at the column's. As a self-contained SVG for light and dark pages,
// and as text for a terminal.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sightline {

enum class Cell : uint8_t {
  hidden,
  earlier,  // the column's row is the line's own or stands before it
  ahead,    // it stands behind it
};

struct GridKind {
  std::string name;         // in the legend
  std::string light, dark;  // its colour, such as "#3b6fb6", on a light and on a dark page
};

// CSS of a drawing beside its kinds' colours, on a light page and what differs on a dark one.
struct SchemeRules {
  std::string_view light, dark;
};

// The <style> element of a drawing: the kinds' fills as classes k0, k1, ..., and `rules`.
std::string style_of(const std::vector<GridKind>& kinds, const SchemeRules& rules);

struct GridLine {
  std::string label;
  size_t kind = 0;     // among Grid::kinds: the colour of its cells as a column
  bool opens = false;  // a gap stands before it
};

struct Grid {
  std::string title;
  std::vector<GridKind> kinds;
  std::vector<GridLine> lines;
  std::vector<Cell> cells;  // [line * lines + column]

  Cell at(size_t line, size_t column) const { return cells.at(line * lines.size() + column); }
};

// The grids side by side, which must have the same kinds, above one legend.
std::string grids_svg(const std::vector<Grid>& grids);

// One character a cell: "." hidden, "#" earlier, "+" ahead.
std::string grid_text(const Grid& grid);

}  // namespace sightline
