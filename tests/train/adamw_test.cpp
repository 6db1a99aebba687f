// One pass against LibTorch's fused step and what it left behind.

#include "train/adamw.h"

#include <algorithm>

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

AdamWParameter copy_of(const AdamWParameter& from) {
  AdamWParameter copy{from.weight.clone(), from.master.clone(), from.gradient.clone(),
                      from.first.clone(), from.second.clone()};
  if (from.weight.is_alias_of(from.master)) copy.weight = copy.master;
  return copy;
}

void expect_near(const at::Tensor& found, const at::Tensor& expected, const char* what) {
  // A single number may come out near zero by chance.
  const double largest = std::max(expected.abs().max().item<double>(), 0.01);
  EXPECT_LE((found - expected).abs().max().item<double>(), 3e-6 * largest) << what;
}

// 16-bit weights with masters, fp32 ones without, and fp64, which has no pass of its own; of sizes
// of one piece and of several.
TEST(AdamW, OnePassEqualsItsDefinition) {
  at::manual_seed(5);
  for (const auto dtype : {at::kBFloat16, at::kFloat, at::kDouble}) {
    for (const int64_t size : {1, 77, 200001}) {
      const auto precise = dtype == at::kDouble ? at::kDouble : at::kFloat;
      AdamWParameter parameter;
      parameter.master = at::randn({size}, precise);
      parameter.weight = dtype == at::kBFloat16 ? parameter.master.to(dtype) : parameter.master;
      parameter.first = at::zeros({size}, precise);
      parameter.second = at::zeros({size}, precise);
      parameter.gradient = at::zeros({size}, precise);
      AdamWParameter plain = copy_of(parameter);
      for (int step = 1; step <= 4; ++step) {
        const at::Tensor gradient = at::randn({size}, precise);
        parameter.gradient.copy_(gradient);
        plain.gradient.copy_(gradient);
        const AdamWStep numbers{.rate = 0.01,
                                .decay = 0.1,
                                .beta1 = 0.9,
                                .beta2 = 0.98,
                                .epsilon = 1e-8,
                                .number = static_cast<double>(step),
                                .gradient_scale = step == 2 ? 0.25 : 1.0};
        const double found = adamw_step(parameter, numbers).item<double>();
        const double expected = plain_adamw_step(plain, numbers).item<double>();
        EXPECT_NEAR(found, expected, 2e-4 * expected);
        expect_near(parameter.master, plain.master, "master");
        expect_near(parameter.first, plain.first, "first moment");
        expect_near(parameter.second, plain.second, "second moment");
        EXPECT_TRUE(parameter.weight.equal(parameter.master.to(dtype)));
      }
    }
  }
}

}  // namespace
}  // namespace sightline
