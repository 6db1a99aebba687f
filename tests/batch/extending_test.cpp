// The mask policy that docs/extending.md adds.

#include "tests/extending/mask_first.cpp"
#include "tests/extending/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline::test {
namespace {

TEST(Extending, AMaskPolicy) {
  EXPECT_TRUE(page_shows("mask_first.cpp"));
  Rows rows;
  const auto add = [&](int32_t token, RowKind kind) {
    rows.tokens.push_back(token);
    rows.kinds.push_back(kind);
    rows.supervised.push_back(kind == RowKind::assistant ? 1 : 0);
  };
  for (int picture = 0; picture < 2; ++picture) {
    add(kImageRow, RowKind::image);
    add(kImageRow, RowKind::image);
    add(5, RowKind::user);
    add(6, RowKind::assistant);
  }
  EXPECT_THAT(mask_first().blocks(rows, 2), testing::ElementsAre(0, 0, -1, -1, -1, -1, -1, -1));
}

}  // namespace
}  // namespace sightline::test
