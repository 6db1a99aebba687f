#include "report/grid.h"

#include "base/error.h"
#include "report/html.h"

#include <algorithm>

namespace sightline {
namespace {

// In pixels.
constexpr int kCell = 14, kStep = 16, kGap = 6, kLabels = 78, kTop = 34, kBetween = 30,
              kLegend = 40;

constexpr SchemeRules kRules = {
    .light =
        "text{font:11px sans-serif;fill:#333}.t{font-weight:bold}.h{fill:#ececec}.a{fill:#fff}",
    .dark = "text{fill:#ccc}.h{fill:#2c2f33}.a{fill:#111}"};

// Where each line begins, and last where the grid ends.
std::vector<int> places_of(const Grid& grid) {
  std::vector<int> places;
  int next = 0;
  for (const GridLine& line : grid.lines) {
    if (line.opens && !places.empty()) next += kGap;
    places.push_back(next);
    next += kStep;
  }
  places.push_back(next);
  return places;
}

std::string square(int x, int y, const std::string& kind, Cell cell) {
  std::string text =
      fmt::format("<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>", kind, x, y,
                  kCell, kCell);
  if (cell == Cell::ahead) {
    text += fmt::format("<circle class=\"a\" cx=\"{}\" cy=\"{}\" r=\"3\"/>", x + kCell / 2,
                        y + kCell / 2);
  }
  return text;
}

std::string words(int x, int y, const std::string& attributes, const std::string& text) {
  return fmt::format("<text x=\"{}\" y=\"{}\"{}>{}</text>\n", x, y, attributes, escaped(text));
}

std::string grid_at(const Grid& grid, int left) {
  const std::vector<int> places = places_of(grid);
  std::string text = words(left + kLabels, kTop - 16, " class=\"t\"", grid.title);
  for (size_t q = 0; q < grid.lines.size(); ++q) {
    const int y = kTop + places[q];
    text += words(left + kLabels - 6, y + 11, " text-anchor=\"end\"", grid.lines[q].label);
    for (size_t k = 0; k < grid.lines.size(); ++k) {
      const Cell cell = grid.at(q, k);
      const std::string kind = cell == Cell::hidden ? "h" : fmt::format("k{}", grid.lines[k].kind);
      text += square(left + kLabels + places[k], y, kind, cell);
    }
    text += "\n";
  }
  return text;
}

std::string legend_at(const std::vector<GridKind>& kinds, int y) {
  std::string text;
  int x = kLabels;
  const auto entry = [&](const std::string& kind, Cell cell, const std::string& what) {
    text += square(x, y, kind, cell) + words(x + kStep + 4, y + 11, "", what);
    x += kStep + 20 + 6 * static_cast<int>(what.size());
  };
  for (size_t i = 0; i < kinds.size(); ++i) {
    entry(fmt::format("k{}", i), Cell::earlier, kinds[i].name);
  }
  entry("k0", Cell::ahead, "ahead");
  entry("h", Cell::hidden, "not seen");
  return text;
}

}  // namespace

std::string style_of(const std::vector<GridKind>& kinds, const SchemeRules& rules) {
  std::string light(rules.light), dark(rules.dark);
  for (size_t i = 0; i < kinds.size(); ++i) {
    light += fmt::format(".k{}{{fill:{}}}", i, kinds[i].light);
    dark += fmt::format(".k{}{{fill:{}}}", i, kinds[i].dark);
  }
  return fmt::format("<style>{}@media(prefers-color-scheme:dark){{{}}}</style>\n", light, dark);
}

std::string grids_svg(const std::vector<Grid>& grids) {
  SL_ASSERT(!grids.empty(), "a drawing of nothing");
  std::string body;
  int left = 0, bottom = 0;
  for (const Grid& grid : grids) {
    body += grid_at(grid, left);
    const int size = places_of(grid).back();
    left += kLabels + size + kBetween;
    bottom = std::max(bottom, kTop + size);
  }
  body += legend_at(grids.front().kinds, bottom + 14);
  return fmt::format(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 "
             "{0} {1}\">\n",
             left, bottom + kLegend) +
         style_of(grids.front().kinds, kRules) + body + "</svg>\n";
}

std::string grid_text(const Grid& grid) {
  size_t width = 0;
  for (const GridLine& line : grid.lines) width = std::max(width, line.label.size());
  std::string text = grid.title + "\n";
  for (size_t q = 0; q < grid.lines.size(); ++q) {
    if (grid.lines[q].opens && q > 0) text += "\n";
    text += fmt::format("  {:>{}} ", grid.lines[q].label, width);
    for (size_t k = 0; k < grid.lines.size(); ++k) {
      if (grid.lines[k].opens && k > 0) text += " ";
      constexpr char kCharacters[] = {'.', '#', '+'};
      text += fmt::format(" {}", kCharacters[static_cast<size_t>(grid.at(q, k))]);
    }
    text += "\n";
  }
  return text;
}

}  // namespace sightline
