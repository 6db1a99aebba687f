// Rounded rows by all threads, against rows and weights as they were before rounding.

#include "tensor/rounded_linear.h"

#include <array>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

GroupedWeights rounded(const at::Tensor& matrix_NK) {
  const at::Tensor precise = matrix_NK.to(at::kFloat).contiguous();
  return {WeightFormat::int8,
          {precise.const_data_ptr<float>(), static_cast<size_t>(precise.numel())},
          matrix_NK.size(0),
          matrix_NK.size(1)};
}

bool skips() { return !rounds_rows(at::kCPU, at::kFloat); }
constexpr const char* kWhy = "this machine multiplies no rounded rows faster";

// Rounding to a 254th of a group's span, of rows and of weights, leaves about a hundredth of what a
// product of random numbers is.
TEST(RoundedLinear, IsNearTheProductsOfWhatWasRounded) {
  if (skips()) GTEST_SKIP() << kWhy;
  for (const auto dtype : {at::kFloat, at::kBFloat16}) {
    // More rows than one part has, and sizes that fill no group and no panel.
    const at::Tensor x = at::randn({3, 201, 150}).to(dtype);
    const at::Tensor a = at::randn({70, 150}).to(dtype), b = at::randn({200, 150}).to(dtype);
    const at::Tensor bias = at::randn({200}).to(dtype);
    const GroupedWeights of_a = rounded(a), of_b = rounded(b);
    const auto y = rounded_products(
        x, std::array{RoundedLinear{of_a.matrix(), {}}, RoundedLinear{of_b.matrix(), bias}});
    const std::array expected = {
        at::linear(x.to(at::kDouble), a.to(at::kDouble)),
        at::linear(x.to(at::kDouble), b.to(at::kDouble), bias.to(at::kDouble))};
    for (size_t i = 0; i < y.size(); ++i) {
      EXPECT_EQ(y[i].scalar_type(), dtype);
      ASSERT_EQ(y[i].sizes(), expected[i].sizes());
      const at::Tensor apart = y[i].to(at::kDouble) - expected[i];
      EXPECT_LE(apart.norm().item<double>(), 0.015 * expected[i].norm().item<double>());
      EXPECT_LE(apart.abs().max().item<double>(), 0.1 * expected[i].abs().max().item<double>());
    }
  }
}

TEST(RoundedLinear, DoesNotDependOnThreadsOrOtherRows) {
  if (skips()) GTEST_SKIP() << kWhy;
  const at::Tensor x = at::randn({700, 192}), matrix = at::randn({100, 192});
  const GroupedWeights weights = rounded(matrix);
  const std::array one = {RoundedLinear{weights.matrix(), {}}};
  const at::Tensor all = rounded_products(x, one).front();
  EXPECT_TRUE(all.narrow(0, 600, 7).equal(rounded_products(x.narrow(0, 600, 7), one).front()));
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  EXPECT_TRUE(all.equal(rounded_products(x, one).front()));
  at::set_num_threads(threads);
}

TEST(RoundedLinear, ReadsRowsThatLieApart) {
  if (skips()) GTEST_SKIP() << kWhy;
  const at::Tensor wide = at::randn({20, 256}), matrix = at::randn({50, 128});
  const GroupedWeights weights = rounded(matrix);
  const std::array one = {RoundedLinear{weights.matrix(), {}}};
  const at::Tensor part = wide.narrow(1, 64, 128);
  EXPECT_TRUE(
      rounded_products(part, one).front().equal(rounded_products(part.contiguous(), one).front()));
}

}  // namespace
}  // namespace sightline
