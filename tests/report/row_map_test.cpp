// Drawings of two small documents: an image that sees itself, words that look back.

#include "report/row_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using testing::HasSubstr;
using Shape = RowArea::Shape;

RowMap small() {
  return {.title = "t",
          .kinds = {{"image", "#111", "#eee"}, {"words", "#222", "#ddd"}},
          .documents = {"one <a>", "two"},
          .spans = {{0, 4, 0, "image", 0}, {4, 7, 1, "words", 0}, {7, 9, 1, "words", 1}},
          .areas = {{0, 4, 0, 4, Shape::full},
                    {4, 7, 0, 4, Shape::full},
                    {4, 7, 4, 7, Shape::lower},
                    {7, 9, 7, 9, Shape::lower}}};
}

TEST(RowMapDrawing, AsText) {
  EXPECT_EQ(row_map_text(small(), 2),
            "t\n"
            "one <a>\n"
            "  image  # .  .\n"
            "  words  # \\  .\n"
            "two\n"
            "  words  . .  \\\n");
  EXPECT_THAT(row_map_text(small(), 1), testing::Not(HasSubstr("two")));
}

TEST(RowMapDrawing, AsSvgToScale) {
  const std::string svg = row_map_svg(small(), 8);
  EXPECT_THAT(svg, HasSubstr("prefers-color-scheme:dark"));
  EXPECT_THAT(svg, HasSubstr("<title>one &lt;a&gt;</title>"));
  EXPECT_THAT(svg, HasSubstr("all 9 rows"));
  EXPECT_THAT(svg, HasSubstr("the first 7 rows, larger")) << "a document is drawn whole";
  EXPECT_THAT(row_map_svg(small(), 3), HasSubstr("the first 7 rows, larger"));
  EXPECT_THAT(svg, HasSubstr("image: 4 rows"));
  // The image's square of 4 rows of 9, in a panel of 560 pixels.
  EXPECT_THAT(svg, HasSubstr("width=\"248.89\" height=\"248.89\""));
}

}  // namespace
}  // namespace sightline
