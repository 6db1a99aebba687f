#include "model/rms_norm.h"

#include "model/model.h"

#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

// [output, gradient of x, gradient of the weight]
template <class Norm>
std::vector<at::Tensor> results(const Norm& norm, int64_t rows, int64_t size,
                                at::ScalarType dtype) {
  const at::Tensor x =
      (random_parameter("x", {rows, size}, 1) * 50).to(dtype).set_requires_grad(true);
  const at::Tensor w =
      (random_parameter("w", {size, 1}, 2).flatten() * 50 + 1).to(dtype).set_requires_grad(true);
  const at::Tensor y = norm(x, w, 1e-6);
  (y * (random_parameter("g", {rows, size}, 3) * 50).to(dtype)).sum().backward();
  return {y.detach(), x.grad(), w.grad()};
}

TEST(RmsNorm, EqualsItsDefinition) {
  for (const auto& [dtype, tolerance] : {std::pair{at::kDouble, 1e-12}, std::pair{at::kFloat, 1e-5},
                                         std::pair{at::kBFloat16, 2e-2}}) {
    for (const auto& [rows, size] : {std::pair{1, 5}, std::pair{7, 16}, std::pair{333, 256}}) {
      const auto fast = results(rms_norm, rows, size, dtype);
      const auto plain = results(plain_rms_norm, rows, size, dtype);
      for (size_t i = 0; i < fast.size(); ++i) {
        const double scale = std::max(1e-3, plain[i].abs().max().item<double>());
        EXPECT_LE((fast[i] - plain[i]).abs().max().item<double>(), tolerance * scale)
            << i << " of " << rows << " x " << size;
      }
    }
  }
}

}  // namespace
}  // namespace sightline
