// The drawings of docs/masks.md are what the program draws.

#include "cli/mask_drawing.h"

#include "base/file.h"
#include "recipe/names.h"
#include "tests/support.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace sightline::test {
namespace {

TEST(MaskDrawing, OfThePageAreTheProgramsOwn) {
  const std::string page = read_file(source_folder() / "docs/masks.md");
  for (const auto& [name, policy] : names_of(MaskPolicy{})) {
    const std::string file = fmt::format("masks/{}.svg", name);
    EXPECT_NE(page.find("(" + file + ")"), std::string::npos) << "docs/masks.md lacks " << file;
    EXPECT_EQ(read_file(source_folder() / "docs" / file), grids_svg(mask_drawings(policy)))
        << "draw it anew: sightline inspect mask --policy " << name << " --svg docs/" << file;
  }
}

// Image rows look ahead among themselves under `image`, and nothing does under `causal`.
TEST(MaskDrawing, ShowsWhatThePolicyAllows) {
  const auto ahead = [](MaskPolicy policy) {
    const Grid grid = mask_drawings(policy).front();
    return std::count(grid.cells.begin(), grid.cells.end(), Cell::ahead);
  };
  EXPECT_EQ(ahead(MaskPolicy::causal), 0);
  EXPECT_EQ(ahead(MaskPolicy::image), 2 * (3 * 2 / 2));     // two images of three rows
  EXPECT_EQ(ahead(MaskPolicy::question), 2 * (5 * 4 / 2));  // and two words behind each
  EXPECT_EQ(ahead(MaskPolicy::prefix), 5 * 4 / 2);          // before the first answer alone
}

}  // namespace
}  // namespace sightline::test
