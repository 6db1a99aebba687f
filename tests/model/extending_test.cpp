// The connector that docs/extending.md adds.

#include "model/model.h"
#include "tests/extending/connector_cross.cpp"
#include "tests/extending/page.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

namespace sightline::test {
namespace {

TEST(Extending, AConnector) {
  EXPECT_TRUE(page_shows("connector_cross.cpp"));
  const ConnectorRule rule = connector_cross();
  const NamedShapes shapes = rule.parameters({.vision = 1, .language = 3, .factor = 2});
  ASSERT_EQ(shapes.size(), 2U);
  ParamMap params;
  params.add("connector.linear.weight", at::eye(3).slice(1, 0, 1).contiguous());
  params.add("connector.linear.bias", at::zeros({3}));
  for (const auto& [name, shape] : shapes) {
    EXPECT_EQ(params.at("connector." + name).sizes(), at::IntArrayRef(shape)) << name;
  }
  // 4 x 4 patches numbered row by row: the last of each square is its strongest.
  const at::Tensor features_IPV = at::arange(16, at::kFloat).view({1, 16, 1});
  const at::Tensor rows_IRD = rule.forward({params, 2, 0.0}, features_IPV);
  ASSERT_EQ(rows_IRD.sizes(), (at::IntArrayRef{1, 4, 3}));
  const float strongest[] = {5, 7, 13, 15};
  for (int64_t row = 0; row < 4; ++row) {
    EXPECT_EQ(rows_IRD[0][row][0].item<float>(), strongest[row]);
    EXPECT_EQ(rows_IRD[0][row][1].item<float>(), 0.0F);
  }
}

}  // namespace
}  // namespace sightline::test
