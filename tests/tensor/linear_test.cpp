#include "tensor/linear.h"

#include "tensor/matrix_product.h"

#include <array>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

// On every machine the same functions; where the kernels are not preferred they are LibTorch's.

at::Tensor numbers(std::vector<int64_t> shape, double deviation = 1) {
  return (at::randn(shape) * deviation).to(at::kBFloat16);
}

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

TEST(Linear, RowsOfAnyShapeByAMatrixAndItsBias) {
  for (const std::vector<int64_t>& shape :
       {std::vector<int64_t>{40, 64}, {3, 50, 64}, {7, 64}, {2, 2, 64}, {300, 64}}) {
    const at::Tensor x = numbers(shape);
    for (const int64_t outputs : {10, 130}) {
      const Weight weight{numbers({outputs, 64}), numbers({outputs})};
      const at::Tensor expected = at::linear(x.to(at::kDouble), weight.matrix_NK.to(at::kDouble),
                                             weight.bias_N.to(at::kDouble));
      EXPECT_LE(difference(linear(x, weight), expected), kRounding);
    }
  }
}

TEST(Linear, GradientsOfRowsMatricesAndBiases) {
  for (const int64_t rows : {9, 100, 257}) {
    const at::Tensor x = trained(numbers({rows, 64})), added = trained(numbers({rows, 32}));
    const Weight weight{trained(numbers({32, 64})), trained(numbers({32}))};
    const at::Tensor d_y = numbers({rows, 32});
    linear_added(added, x, weight).backward(d_y);
    const at::Tensor x64 = exact(x), added64 = exact(added), matrix64 = exact(weight.matrix_NK),
                     bias64 = exact(weight.bias_N);
    (added64 + at::linear(x64, matrix64, bias64)).backward(d_y.to(at::kDouble));
    EXPECT_LE(difference(x.grad(), x64.grad()), kRounding);
    EXPECT_LE(difference(added.grad(), added64.grad()), kRounding);
    EXPECT_LE(difference(weight.matrix_NK.grad(), matrix64.grad()), kRounding);
    EXPECT_LE(difference(weight.bias_N.grad(), bias64.grad()), kRounding);
  }
}

// Three matrices of the same rows, one of them frozen and one without a bias, and one result that
// nobody asks a gradient of.
TEST(Linear, SeveralMatricesOfTheSameRows) {
  const at::Tensor x = trained(numbers({50, 64}));
  const std::array weights{Weight{trained(numbers({96, 64})), trained(numbers({96}))},
                           Weight{numbers({32, 64}), {}}, Weight{trained(numbers({48, 64})), {}}};
  const std::vector<at::Tensor> y = linears(x, weights);
  const at::Tensor d_first = numbers({50, 96}), d_second = numbers({50, 32});
  (y[0] * d_first).sum().backward({}, true);
  (y[1] * d_second).sum().backward();
  const at::Tensor x64 = exact(x);
  const at::Tensor first64 = exact(weights[0].matrix_NK), bias64 = exact(weights[0].bias_N);
  const at::Tensor y64 = at::linear(x64, first64, bias64);
  y64.backward(d_first.to(at::kDouble));
  at::linear(x64, weights[1].matrix_NK.to(at::kDouble)).backward(d_second.to(at::kDouble));
  EXPECT_LE(difference(y[0], y64), kRounding);
  EXPECT_LE(difference(x.grad(), x64.grad()), 2 * kRounding);  // of two passes
  EXPECT_LE(difference(weights[0].matrix_NK.grad(), first64.grad()), kRounding);
  EXPECT_LE(difference(weights[0].bias_N.grad(), bias64.grad()), kRounding);
  EXPECT_FALSE(weights[1].matrix_NK.grad().defined());
  if (weights[2].matrix_NK.grad().defined()) {
    EXPECT_EQ(weights[2].matrix_NK.grad().abs().max().item<double>(), 0);
  }
}

// Summed in pieces, and rounded once all the same.
TEST(Linear, GradientsOverManyThousandRows) {
  const int64_t rows = 2 * kMostSummed + 77;
  const at::Tensor x = trained(numbers({rows, 16}));
  const Weight weight{trained(numbers({18, 16})), {}};
  const at::Tensor d_y = numbers({rows, 18});
  linear(x, weight).backward(d_y);
  EXPECT_LE(difference(weight.matrix_NK.grad(), d_y.to(at::kDouble).t().mm(x.to(at::kDouble))),
            kRounding);
}

TEST(Linear, GradientsOfManyThousandOutputs) {
  const at::Tensor d_y = numbers({12, 2 * kMostSummed + 78}), weight = numbers({d_y.size(1), 32});
  EXPECT_LE(difference(input_gradient(d_y, weight), d_y.to(at::kDouble).mm(weight.to(at::kDouble))),
            kRounding);
}

TEST(Linear, WeightsGradientsAreAddedInFullPrecision) {
  const at::Tensor x = numbers({51, 32}), d_y = numbers({51, 70});
  at::Tensor sum = at::zeros({70, 32});
  add_weight_gradient(d_y, x, sum);
  add_weight_gradient(d_y, x, sum);
  const at::Tensor expected = d_y.to(at::kDouble).t().mm(x.to(at::kDouble)) * 2;
  EXPECT_LE(difference(sum, expected), prefers_matrix_kernels() ? 1e-6 : 2 * kRounding);
}

TEST(Linear, OddSizesAndOtherNumbersGoByTheLibrary) {
  const at::Tensor x = at::randn({20, 15}), weight = at::randn({11, 15});
  EXPECT_LE(difference(linear(x, {weight, {}}), at::linear(x, weight)), 1e-6);
  const at::Tensor low = x.to(at::kBFloat16), low_weight = weight.to(at::kBFloat16);
  EXPECT_LE(difference(linear(low, {low_weight, {}}), at::linear(low, low_weight)), 1e-6);
}

TEST(Linear, ResultsDoNotDependOnTheThreads) {
  const at::Tensor x = numbers({333, 64}), d_y = numbers({333, 96});
  const Weight weight{numbers({96, 64}), numbers({96})};
  const auto all = [&] {
    at::Tensor sum = at::zeros({96, 64});
    add_weight_gradient(d_y, x, sum);
    return at::cat({linear(x, weight).flatten(), input_gradient(d_y, weight.matrix_NK).flatten(),
                    sum.flatten()});
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
