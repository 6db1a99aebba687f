#include "tensor/linear_rows.h"

#include "kernels/matrix_kernels.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

at::Tensor numbers(std::vector<int64_t> shape) { return at::randn(shape).to(at::kBFloat16); }

// The largest difference, of the largest number that is expected.
double difference(const at::Tensor& found, const at::Tensor& expected) {
  EXPECT_EQ(found.sizes(), expected.sizes());
  return ((found.to(at::kDouble) - expected.to(at::kDouble)).abs().max() /
          expected.to(at::kDouble).abs().max())
      .item<double>();
}

constexpr double kRounding = 1.0 / 200;  // of one bf16 number, half its last place

// On every machine; where the kernels are not preferred all is LibTorch's.
TEST(LinearRows, FewRowsAndMany) {
  const at::NoGradGuard no_grad;
  for (const int64_t rows : {1, 2, 15, 16, 17, 64, 100, 128, 129, 200}) {
    for (const int64_t outputs : {1, 10, 130}) {
      const at::Tensor x = numbers({rows, 64}), matrix = numbers({outputs, 64}),
                       bias = numbers({outputs});
      const at::Tensor exact = at::linear(x.to(at::kDouble), matrix.to(at::kDouble));
      EXPECT_LE(difference(linear_rows(x, matrix, {}), exact), kRounding)
          << rows << ", " << outputs;
      EXPECT_LE(difference(linear_rows(x, matrix, bias), exact + bias.to(at::kDouble)), kRounding)
          << rows << ", " << outputs;
    }
  }
}

TEST(LinearRows, RowsThatLieApartOddSizesAndOtherNumbers) {
  const at::NoGradGuard no_grad;
  const at::Tensor wide = numbers({20, 100}), matrix = numbers({30, 64});
  const at::Tensor x = wide.narrow(1, 4, 64);
  const at::Tensor exact = at::linear(x.to(at::kDouble), matrix.to(at::kDouble));
  EXPECT_LE(difference(linear_rows(x, matrix, {}), exact), kRounding);
  const at::Tensor odd = at::randn({20, 15}), odd_matrix = at::randn({11, 15});
  EXPECT_LE(difference(linear_rows(odd, odd_matrix, {}), at::linear(odd, odd_matrix)), 1e-6);
  const at::Tensor low = odd.to(at::kBFloat16), low_matrix = odd_matrix.to(at::kBFloat16);
  EXPECT_LE(difference(linear_rows(low, low_matrix, {}), at::linear(low, low_matrix)), 1e-6);
}

TEST(LinearRows, FewRowsThatTrainHaveGradients) {
  const at::Tensor x = numbers({20, 64}).requires_grad_(true);
  linear_rows(x, numbers({30, 64}), {}).sum().backward();
  EXPECT_TRUE(x.grad().defined());
}

TEST(LinearRows, ResultsDoNotDependOnTheThreads) {
  const at::NoGradGuard no_grad;
  if (!prefers_matrix_kernels()) GTEST_SKIP() << "products are the library's on this machine";
  const at::Tensor x = numbers({100, 256}), matrix = numbers({777, 256});
  const int threads = at::get_num_threads();
  const at::Tensor many = linear_rows(x, matrix, {});
  at::set_num_threads(1);
  const at::Tensor one = linear_rows(x, matrix, {});
  at::set_num_threads(threads);
  EXPECT_TRUE(many.equal(one));
}

}  // namespace
}  // namespace sightline
