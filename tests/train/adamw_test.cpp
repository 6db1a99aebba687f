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
  const at::Tensor& rest = from.master.rest;
  return {{from.master.weight.clone(), rest.defined() ? rest.clone() : rest},
          from.gradient,
          from.first.clone(),
          from.second.clone()};
}

void expect_near(const at::Tensor& found, const at::Tensor& expected, const char* what) {
  // A single number may come out near zero by chance.
  const double largest = std::max(expected.abs().max().item<double>(), 0.01);
  EXPECT_LE((found - expected).abs().max().item<double>(), 3e-6 * largest) << what;
}

struct Numbers {
  at::ScalarType weight, gradient;
};

// 16-bit weights by gradients in 16 bits and by sums, fp32 ones, and fp64, which have no pass of
// their own; of sizes of one piece and of several.
TEST(AdamW, OnePassEqualsItsDefinition) {
  at::manual_seed(5);
  for (const auto& [dtype, gradient_dtype] : {Numbers{at::kBFloat16, at::kBFloat16},
                                              {at::kBFloat16, at::kFloat},
                                              {at::kFloat, at::kFloat},
                                              {at::kDouble, at::kDouble}}) {
    for (const int64_t size : {1, 77, 200001}) {
      AdamWParameter parameter{.master = Master::of(at::randn({size}, at::kDouble).to(dtype))};
      parameter.first = at::zeros({size}, parameter.master.dtype());
      parameter.second = at::zeros({size}, parameter.master.dtype());
      AdamWParameter plain = copy_of(parameter);
      for (int step = 1; step <= 4; ++step) {
        plain.gradient = parameter.gradient = at::randn({size}, at::kDouble).to(gradient_dtype);
        const AdamWStep numbers{.rate = 0.01,
                                .decay = 0.1,
                                .beta1 = 0.9,
                                .beta2 = 0.98,
                                .epsilon = 1e-8,
                                .number = static_cast<double>(step),
                                .gradient_scale = step == 2 ? 0.25 : 1.0};
        const double found = adamw_step(parameter, numbers).item<double>();
        const double expected = plain_adamw_step(plain, numbers).item<double>();
        // One number's move is known to fp32's last place of the number.
        EXPECT_NEAR(found, expected, (size == 1 ? 2e-3 : 2e-4) * expected);
        expect_near(parameter.master.numbers(), plain.master.numbers(), "master");
        expect_near(parameter.first, plain.first, "first moment");
        expect_near(parameter.second, plain.second, "second moment");
        const Master rounded = Master::of(parameter.master.weight.clone());
        rounded.put(parameter.master.numbers());
        EXPECT_TRUE(parameter.master.weight.equal(rounded.weight));
      }
    }
  }
}

}  // namespace
}  // namespace sightline
