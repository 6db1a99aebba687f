// Drawings of a small grid.

#include "report/grid.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using testing::HasSubstr;

Grid small() {
  return {.title = "t",
          .kinds = {{"one", "#111", "#eee"}, {"two", "#222", "#ddd"}},
          .lines = {{"a", 0, true}, {"b<", 1, true}},
          .cells = {Cell::earlier, Cell::ahead, Cell::hidden, Cell::earlier}};
}

TEST(Grid, AsText) { EXPECT_EQ(grid_text(small()), "t\n   a  #  +\n\n  b<  .  #\n"); }

TEST(Grid, AsSvgForLightAndDark) {
  const std::string svg = grids_svg({small(), small()});
  EXPECT_THAT(svg, HasSubstr("prefers-color-scheme:dark"));
  EXPECT_THAT(svg, HasSubstr(">b&lt;</text>"));
  size_t circles = 0;
  for (size_t at = svg.find("<circle"); at != std::string::npos; at = svg.find("<circle", at + 1)) {
    ++circles;
  }
  EXPECT_EQ(circles, 3u) << "one a grid, and one in the legend";
}

}  // namespace
}  // namespace sightline
