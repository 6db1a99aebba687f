#include "batch/mask_policy.h"

#include "base/error.h"
#include "batch/image_rows.h"
#include "batch/layout.h"
#include "tests/batch/random_layout.h"

#include <gtest/gtest.h>

namespace sightline {
namespace {

using test::append;
using test::append_image;
using Ints = std::vector<int32_t>;

// "u" user, "a" supervised assistant, "i" an image of two rows.
Rows rows_like(const std::string& shape) {
  Rows rows;
  for (const char c : shape) {
    if (c == 'i') append_image(rows, 2);
    if (c == 'u') append(rows, 3, RowKind::user);
    if (c == 'a') append(rows, 4, RowKind::assistant, true);
  }
  return rows;
}

Ints blocks(const std::string& shape, MaskPolicy policy) {
  return blocks_of(rows_like(shape), policy, 2);
}

TEST(MaskPolicy, CausalHasNoBlock) { EXPECT_EQ(blocks("uiuaua", MaskPolicy::causal), Ints(7, -1)); }

TEST(MaskPolicy, ImageIsOneBlockAnImage) {
  EXPECT_EQ(blocks("uiua", MaskPolicy::image), (Ints{-1, 0, 0, -1, -1}));
  EXPECT_EQ(blocks("iiua", MaskPolicy::image), (Ints{0, 0, 1, 1, -1, -1}));
  EXPECT_EQ(blocks("iuauia", MaskPolicy::image), (Ints{0, 0, -1, -1, -1, 1, 1, -1}));
  EXPECT_EQ(blocks("uua", MaskPolicy::image), (Ints{-1, -1, -1}));
}

TEST(MaskPolicy, PrefixReachesToTheFirstAnswer) {
  EXPECT_EQ(blocks("uiuuaaua", MaskPolicy::prefix), (Ints{0, 0, 0, 0, 0, -1, -1, -1, -1}));
  EXPECT_EQ(blocks("iuaiua", MaskPolicy::prefix), (Ints{0, 0, 0, -1, -1, -1, -1, -1}));
  EXPECT_EQ(blocks("iu", MaskPolicy::prefix), (Ints{-1, -1, -1}));
  EXPECT_EQ(blocks("aaa", MaskPolicy::prefix), (Ints{-1, -1, -1}));
}

TEST(MaskPolicy, QuestionJoinsTheTextThatFollowsTheImage) {
  EXPECT_EQ(blocks("uiuuaua", MaskPolicy::question), (Ints{-1, 0, 0, 0, 0, -1, -1, -1}));
  EXPECT_EQ(blocks("iuiua", MaskPolicy::question), (Ints{0, 0, 0, 1, 1, 1, -1}));
  EXPECT_EQ(blocks("iiua", MaskPolicy::question), (Ints{0, 0, 1, 1, 1, -1}));
  EXPECT_EQ(blocks("uauiua", MaskPolicy::question), (Ints{-1, -1, -1, 0, 0, 0, -1}));
  EXPECT_EQ(blocks("uua", MaskPolicy::question), (Ints{-1, -1, -1}));
}

TEST(ImageRows, MlpKeepsEveryPatchAndShuffleJoinsThem) {
  const VisionConfig vision{.image_size = 224, .patch_size = 16};
  EXPECT_EQ(rows_per_image(vision, {.kind = ConnectorKind::mlp}), 196);
  EXPECT_EQ(rows_per_image(vision, {.kind = ConnectorKind::linear, .factor = 1}), 196);
  EXPECT_EQ(rows_per_image(vision, {.kind = ConnectorKind::shuffle, .factor = 2}), 49);
  EXPECT_EQ(rows_per_image(vision, {.kind = ConnectorKind::pool, .factor = 7}), 4);
  EXPECT_THROW(rows_per_image(vision, {.kind = ConnectorKind::pool, .factor = 3}), Error);
  const VisionConfig so400m{.kind = VisionKind::siglip, .image_size = 384, .patch_size = 14};
  EXPECT_EQ(rows_per_image(so400m, {.kind = ConnectorKind::mlp}), 729);
  EXPECT_EQ(rows_per_image(so400m, {.kind = ConnectorKind::pool, .factor = 3}), 81);
  EXPECT_EQ(rows_per_image(vision, {.kind = ConnectorKind::shuffle, .factor = 7}), 4);
  EXPECT_THROW(rows_per_image(vision, {.kind = ConnectorKind::shuffle, .factor = 4}), Error);
  EXPECT_THROW(rows_per_image(vision, {.kind = ConnectorKind::shuffle, .factor = 0}), Error);
}

}  // namespace
}  // namespace sightline
