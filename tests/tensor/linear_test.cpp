#include "tensor/linear.h"

#include "kernels/matrix_kernels.h"

#include <vector>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

// On every machine the same functions; which products are ours differs (tensor/linear.h).

at::Tensor numbers(std::vector<int64_t> shape) { return at::randn(shape).to(at::kBFloat16); }

// The largest difference, of the largest number that is expected.
double difference(const at::Tensor& found, const at::Tensor& expected) {
  EXPECT_EQ(found.sizes(), expected.sizes());
  return ((found.to(at::kDouble) - expected.to(at::kDouble)).abs().max() /
          expected.to(at::kDouble).abs().max())
      .item<double>();
}

constexpr double kRounding = 1.0 / 200;  // of one bf16 number, half its last place

at::Tensor trained(const at::Tensor& x) { return x.clone().requires_grad_(true); }

// The same in fp64: all that our products round is their results.
at::Tensor exact(const at::Tensor& x) { return x.detach().to(at::kDouble).requires_grad_(true); }

TEST(Linear, FewRowsAndMany) {
  const at::NoGradGuard no_grad;
  for (const int64_t rows : {1, 2, 15, 16, 17, 64, 100, 128, 129, 200}) {
    for (const int64_t outputs : {1, 10, 130}) {
      const at::Tensor x = numbers({rows, 64}), matrix = numbers({outputs, 64}),
                       bias = numbers({outputs});
      const at::Tensor expected = at::linear(x.to(at::kDouble), matrix.to(at::kDouble));
      EXPECT_LE(difference(linear_layer(x, matrix, {}), expected), kRounding)
          << rows << ", " << outputs;
      EXPECT_LE(difference(linear_layer(x, matrix, bias), expected + bias.to(at::kDouble)),
                kRounding)
          << rows << ", " << outputs;
    }
  }
}

TEST(Linear, RowsOfAnyShape) {
  for (const std::vector<int64_t>& shape :
       {std::vector<int64_t>{40, 64}, {3, 50, 64}, {2, 2, 64}}) {
    const at::Tensor x = numbers(shape), matrix = numbers({10, 64}), bias = numbers({10});
    const at::Tensor expected =
        at::linear(x.to(at::kDouble), matrix.to(at::kDouble), bias.to(at::kDouble));
    EXPECT_LE(difference(linear_layer(x, matrix, bias), expected), kRounding);
  }
}

TEST(Linear, RowsAndMatricesThatLieApart) {
  const at::NoGradGuard no_grad;
  const at::Tensor wide = numbers({20, 100}), matrix = numbers({64, 30}).t();
  const at::Tensor x = wide.narrow(1, 4, 64);
  const at::Tensor expected = at::linear(x.to(at::kDouble), matrix.to(at::kDouble));
  EXPECT_LE(difference(linear_layer(x, matrix, {}), expected), kRounding);
}

void expect_gradients(int64_t rows, int64_t inputs, int64_t outputs) {
  const at::Tensor x = trained(numbers({rows, inputs})), bias = trained(numbers({outputs})),
                   matrix = trained(numbers({outputs, inputs})), d_y = numbers({rows, outputs});
  const at::Tensor y = linear_layer(x, matrix, bias);
  y.backward(d_y);
  const at::Tensor x64 = exact(x), matrix64 = exact(matrix), bias64 = exact(bias);
  const at::Tensor expected = at::linear(x64, matrix64, bias64);
  expected.backward(d_y.to(at::kDouble));
  EXPECT_LE(difference(y, expected), kRounding);
  EXPECT_LE(difference(x.grad(), x64.grad()), kRounding);
  EXPECT_LE(difference(matrix.grad(), matrix64.grad()), kRounding);
  EXPECT_LE(difference(bias.grad(), bias64.grad()), kRounding);
}

TEST(Linear, GradientsOfRowsMatricesAndBiases) {
  for (const int64_t rows : {1, 9, 100, 257}) expect_gradients(rows, 64, 32);
}

TEST(Linear, OddSizes) {
  expect_gradients(21, 15, 11);
  expect_gradients(21, 16, 11);
  expect_gradients(20, 15, 12);
}

TEST(Linear, GradientsOverManyThousandRowsAndOutputs) {
  expect_gradients(9001, 16, 18);
  expect_gradients(12, 16, 9001);
}

TEST(Linear, WhatIsFrozenHasNoGradient) {
  const at::Tensor x = trained(numbers({20, 64})), matrix = numbers({30, 64});
  linear_layer(x, matrix, {}).sum().backward();
  EXPECT_TRUE(x.grad().defined());
  EXPECT_FALSE(matrix.grad().defined());
  EXPECT_FALSE(linear_layer(x.detach(), matrix, {}).requires_grad());
}

TEST(Linear, OtherNumbersAreTheLibrarys) {
  const at::Tensor x = at::randn({20, 15}), matrix = at::randn({11, 15});
  EXPECT_TRUE(linear_layer(x, matrix, {}).equal(at::linear(x, matrix)));
}

TEST(Linear, WhatBackwardPassesAreMadeOf) {
  const at::Tensor x = numbers({51, 32}), d_y = numbers({51, 71}), matrix = numbers({71, 32});
  const at::Tensor d_y64 = d_y.to(at::kDouble);
  EXPECT_LE(difference(input_gradient(d_y, matrix), d_y64.mm(matrix.to(at::kDouble))), kRounding);
  at::Tensor sum = at::zeros({71, 32});
  add_weight_gradient(d_y, x, sum);
  add_weight_gradient(d_y, x, sum);
  // Not rounded between, where the products are ours.
  EXPECT_LE(difference(sum, d_y64.t().mm(x.to(at::kDouble)) * 2),
            library_multiplies_bf16() ? kRounding : 1e-6);
}

TEST(Linear, ResultsDoNotDependOnTheThreads) {
  if (preferred_matrix_kernels() == nullptr) GTEST_SKIP() << "bf16 is the library's here";
  const at::Tensor x = numbers({100, 256}), matrix = numbers({777, 256});
  const at::Tensor many_x = numbers({333, 64}), d_y = numbers({333, 96}),
                   of_many = numbers({96, 64});
  const auto all = [&] {
    const at::NoGradGuard no_grad;
    if (library_multiplies_bf16()) return linear_layer(x, matrix, {}).flatten();
    at::Tensor sum = at::zeros({96, 64});
    add_weight_gradient(d_y, many_x, sum);
    return at::cat({linear_layer(x, matrix, {}).flatten(),
                    linear_layer(many_x, of_many, {}).flatten(),
                    input_gradient(d_y, of_many).flatten(), sum.flatten()});
  };
  const int threads = at::get_num_threads();
  const at::Tensor many = all();
  at::set_num_threads(1);
  const at::Tensor one = all();
  at::set_num_threads(threads);
  EXPECT_TRUE(many.equal(one));
}

}  // namespace
}  // namespace sightline
