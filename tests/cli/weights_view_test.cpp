#include "cli/weights_view.h"

#include "base/error.h"
#include "tensor/safetensors.h"
#include "tests/support.h"

#include <limits>

#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline::test {
namespace {

using testing::HasSubstr;

at::Tensor filled(at::IntArrayRef shape, double value, at::ScalarType type = at::kFloat) {
  return at::full(shape, value, at::TensorOptions(type));
}

TEST(WeightsView, GroupsLayersAndTellsNorms) {
  const TemporaryFolder folder;
  ParamMap tensors;
  tensors.add("layers.0.weight", filled({2, 8}, 0.5));  // norm 2
  tensors.add("layers.1.weight", filled({2, 8}, 1));    // norm 4
  tensors.add("norm.weight", filled({9}, 1, at::kBFloat16));
  std::filesystem::create_directory(folder.path() / "vision");
  write_safetensors(folder.path() / "vision/model.safetensors", tensors);
  const auto parts = weights_of(folder.path(), Layers::together);
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_EQ(parts[0].part, "vision");
  EXPECT_EQ(parts[0].parameters, 41);
  EXPECT_EQ(parts[0].bytes, 32 * 4 + 9 * 2);
  ASSERT_EQ(parts[0].groups.size(), 2u);
  const TensorGroup& layers = parts[0].groups[0];
  EXPECT_EQ(layers.name, "layers.*.weight");
  EXPECT_EQ(layers.count, 2);
  EXPECT_DOUBLE_EQ(layers.least_norm, 2);
  EXPECT_DOUBLE_EQ(layers.greatest_norm, 4);
  EXPECT_EQ(parts[0].groups[1].type, "BF16");
  EXPECT_DOUBLE_EQ(parts[0].groups[1].least_norm, 3);
  EXPECT_THAT(weights_text(parts), HasSubstr("2 - 4"));
  EXPECT_EQ(weights_of(folder.path(), Layers::apart)[0].groups.size(), 3u);
  // A part by itself is a Hugging Face folder.
  EXPECT_EQ(weights_of(folder.path() / "vision", Layers::together)[0].part, "");
}

TEST(WeightsView, SaysWhatIsNotFinite) {
  const TemporaryFolder folder;
  ParamMap tensors;
  tensors.add("a.0", filled({4}, std::numeric_limits<double>::quiet_NaN()));
  tensors.add("a.1", filled({4}, 1));
  write_safetensors(folder.path() / "model.safetensors", tensors);
  const auto parts = weights_of(folder.path(), Layers::together);
  EXPECT_EQ(parts[0].groups[0].not_finite, 1);
  EXPECT_DOUBLE_EQ(parts[0].groups[0].least_norm, 2);
  EXPECT_THAT(weights_text(parts), HasSubstr("1 not finite"));
}

TEST(WeightsView, AFolderWithoutWeightsIsAnError) {
  const TemporaryFolder folder;
  EXPECT_THROW(weights_of(folder.path(), Layers::together), Error);
  EXPECT_THROW(weights_of(folder.path() / "nowhere", Layers::together), UsageError);
}

}  // namespace
}  // namespace sightline::test
