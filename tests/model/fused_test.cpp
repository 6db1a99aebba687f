// One pass against operation by operation, forward and backward.

#include "model/fused.h"

#include <functional>
#include <vector>

#include <ATen/TensorOperators.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

namespace sightline {
namespace {

using Function = std::function<at::Tensor(const std::vector<at::Tensor>&)>;

// Results and gradients as shares of the largest: bf16's definition rounds between its operations.
void expect_equal(const Function& fused, const Function& plain,
                  const std::vector<at::Tensor>& inputs) {
  for (const auto dtype : {at::kFloat, at::kBFloat16, at::kDouble}) {
    const double tolerance = dtype == at::kBFloat16 ? 0.02 : 2e-6;
    const auto run = [&, dtype = dtype](const Function& function) {
      std::vector<at::Tensor> own;
      for (const at::Tensor& input : inputs) {
        own.push_back(input.to(dtype).detach().requires_grad_(true));
      }
      const at::Tensor out = function(own);
      std::vector<at::Tensor> results =
          torch::autograd::grad({out}, own, {at::ones_like(out) * out.detach()});
      results.push_back(out.detach());
      return results;
    };
    const auto found = run(fused), expected = run(plain);
    for (size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(found[i].scalar_type(), dtype);
      const double largest = expected[i].abs().max().item<double>();
      EXPECT_LE((found[i] - expected[i]).abs().max().item<double>(), tolerance * largest);
    }
  }
}

TEST(Fused, Swiglu) {
  const at::Tensor both = at::randn({70, 2 * 333});
  expect_equal([](const auto& x) { return swiglu(x[0], x[1]); },
               [](const auto& x) { return plain_swiglu(x[0], x[1]); },
               {both.narrow(1, 0, 333) * 3, both.narrow(1, 333, 333)});
}

TEST(Fused, Gelu) {
  expect_equal([](const auto& x) { return gelu_by_tanh(x[0]); },
               [](const auto& x) { return at::gelu(x[0], "tanh"); }, {at::randn({3, 50, 77}) * 2});
}

// Rows that lie apart, as those of a joined product do.
TEST(Fused, Rotated) {
  const auto angles = at::randn({40, 11}, at::kDouble) * 3;
  const auto turn = [&](const auto& function, const at::Tensor& x) {
    const bool is_double = x.scalar_type() == at::kDouble;
    const auto precise = is_double ? at::kDouble : at::kFloat;
    return function(x.narrow(1, 66, 66).view({40, 3, 22}), angles.cos().to(precise),
                    angles.sin().to(precise));
  };
  expect_equal([&](const auto& x) { return turn(rotated, x[0]); },
               [&](const auto& x) { return turn(plain_rotated, x[0]); }, {at::randn({40, 200})});
}

}  // namespace
}  // namespace sightline
