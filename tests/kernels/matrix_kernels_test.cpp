#include "kernels/matrix_kernels.h"

#include "base/rng.h"
#include "kernels/scalar_functions.h"
#include "tests/kernels/each_matrix_kernels.h"
#include "tests/kernels/normal_numbers.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace sightline {
namespace {

using Form = ProductOutput::Form;
using Order = MatrixOperand::Order;

std::vector<uint16_t> bf16_numbers(int64_t count, uint64_t seed) {
  Rng rng(seed);
  std::vector<uint16_t> numbers(static_cast<size_t>(count));
  for (uint16_t& number : numbers) number = bf16_of_float(static_cast<float>(rng.normal()));
  return numbers;
}

// An operand and the memory it lies in: rows (or columns) a few numbers further apart than they are
// long.
struct Operand {
  std::vector<uint16_t> memory;
  MatrixOperand view;
  Operand(int64_t size, int64_t k, Order order, uint64_t seed) {
    const int64_t length = order == Order::k_last ? k : size;
    const int64_t lines = order == Order::k_last ? size : k;
    memory = bf16_numbers(lines * (length + 6), seed);
    view = {memory.data(), length + 6, order, k};
  }
};

struct Product {
  int64_t m, n;
  MatrixOperand left, right;
};

void multiply(const MatrixKernels& kernels, const Product& product, const ProductOutput& y) {
  std::vector<uint32_t> packed(static_cast<size_t>(packed_pairs(product.n, product.right)));
  kernels.pack(product.right, product.n, packed.data());
  // In two ranges, as two threads would.
  const int64_t middle = product.m / 2 / kTileRows * kTileRows;
  kernels.multiply(product.left, {0, middle}, packed.data(), product.n, y);
  kernels.multiply(product.left, {middle, product.m}, packed.data(), product.n, y);
}

double number_at(const std::vector<float>& values, Form form, size_t i) {
  if (form == Form::rows_fp32 || form == Form::added_fp32) return values[i];
  return float_of_bf16(reinterpret_cast<const uint16_t*>(values.data())[i]);
}

// Every number of y by the kernels and by the definition; what lies between y's rows is not
// touched.
void expect_as_defined(const MatrixKernels& kernels, const Product& product, Form form) {
  const bool by_columns = form == Form::columns_bf16;
  const int64_t stride = (by_columns ? product.m : product.n) + 3;
  const auto count = static_cast<size_t>(stride * (by_columns ? product.n : product.m));
  const std::vector<uint16_t> bias = bf16_numbers(product.m + product.n, 5);
  std::vector<float> found(count, 0.5F), expected(count, 0.5F);
  ProductOutput y{.form = form, .values = found.data(), .stride = stride, .bias = bias.data()};
  multiply(kernels, product, y);
  y.values = expected.data();
  plain_multiply(product.left, product.m, product.right, product.n, y);
  const bool is_rounded = form == Form::rows_bf16 || by_columns;
  const double tolerance = is_rounded ? 1.0 / 128 : 1e-5;
  for (size_t i = 0; i < count; ++i) {
    const double right = number_at(expected, form, i);
    ASSERT_NEAR(number_at(found, form, i), right, tolerance * (4 + std::abs(right)))
        << product.m << " x " << product.n << ", number " << i;
  }
}

struct Sizes {
  int64_t m, n, k;
};
// One of each; less than a tile, a panel, a register; their multiples; one beyond them.
const std::vector<Sizes> kSizes = {{1, 1, 2},    {8, 48, 32},  {7, 15, 34},  {9, 49, 2},
                                   {64, 96, 48}, {65, 17, 66}, {130, 33, 6}, {33, 100, 130},
                                   {6, 16, 4},   {48, 50, 34}, {96, 48, 10}, {101, 8, 18}};

TEST(MatrixKernels, EveryOrderAndFormIsAsDefined) {
  for_each_kernels([](const MatrixKernels& kernels) {
    for (const auto& [m, n, k] : kSizes) {
      for (const Order of_left : {Order::k_last, Order::k_first}) {
        for (const Order of_right : {Order::k_last, Order::k_first}) {
          const Operand left(m, k, of_left, 1), right(n, k, of_right, 2);
          for (const Form form :
               {Form::rows_bf16, Form::columns_bf16, Form::rows_fp32, Form::added_fp32}) {
            expect_as_defined(kernels, {m, n, left.view, right.view}, form);
          }
        }
      }
    }
  });
}

TEST(MatrixKernels, AnOddNumberOfRowsIsSummedOver) {
  for_each_kernels([](const MatrixKernels& kernels) {
    for (const int64_t k : {1, 3, 33}) {
      const Operand left(21, k, Order::k_first, 1), right(50, k, Order::k_first, 2);
      expect_as_defined(kernels, {21, 50, left.view, right.view}, Form::rows_fp32);
    }
  });
}

TEST(MatrixKernels, WhatIsNoNumberStaysSo) {
  for_each_kernels([](const MatrixKernels& kernels) {
    Operand left(9, 34, Order::k_last, 1);
    const Operand right(20, 34, Order::k_last, 2);
    left.memory[static_cast<size_t>(3 * left.view.stride + 7)] =
        bf16_of_float(std::numeric_limits<float>::quiet_NaN());
    left.memory[static_cast<size_t>(5 * left.view.stride)] =
        bf16_of_float(std::numeric_limits<float>::infinity());
    std::vector<float> y(9 * 20);
    multiply(kernels, {9, 20, left.view, right.view},
             {.form = Form::rows_fp32, .values = y.data(), .stride = 20});
    for (size_t i = 0; i < y.size(); ++i) {
      EXPECT_EQ(std::isnan(y[i]), i / 20 == 3) << i;
      EXPECT_EQ(std::isinf(y[i]), i / 20 == 5) << i;
    }
  });
}

// By their definitions, in double.
struct Softmax {
  std::vector<double> weights, d_scores;
  Softmax(const std::vector<float>& scores, const std::vector<float>& d_weights, int64_t seen,
          double scale)
      : weights(scores.size()), d_scores(scores.size()) {
    double sum = 0, pull = 0;
    for (size_t i = 0; i < static_cast<size_t>(seen); ++i) sum += std::exp(scale * scores[i]);
    for (size_t i = 0; i < static_cast<size_t>(seen); ++i) {
      weights[i] = std::exp(scale * scores[i]) / sum;
      pull += weights[i] * d_weights[i];
    }
    for (size_t i = 0; i < weights.size(); ++i) {
      d_scores[i] = scale * weights[i] * (d_weights[i] - pull);
    }
  }
};

TEST(MatrixKernels, SoftmaxOfWhatIsSeenAndItsBackward) {
  for_each_kernels([](const MatrixKernels& kernels) {
    constexpr int64_t kScores = 208;
    constexpr float kScale = 0.125F;
    for (const int64_t seen : {1, 15, 16, 17, 196, 208}) {
      const std::vector<float> scores = normal_numbers(kScores, 1, 20);
      const std::vector<float> d_weights = normal_numbers(kScores, 2, 1);
      const Softmax expected(scores, d_weights, seen, kScale);
      std::vector<float> overwritten = scores;
      std::vector<uint16_t> weights(kScores, 1), again(kScores, 1), d_scores(kScores, 1);
      kernels.softmax(overwritten.data(), seen, kScores, kScale, weights.data());
      overwritten = scores;
      kernels.softmax_backward(overwritten.data(), d_weights.data(), seen, kScores, kScale,
                               again.data(), d_scores.data());
      EXPECT_EQ(weights, again);
      for (size_t i = 0; i < kScores; ++i) {
        const double weight = expected.weights[i], slope = expected.d_scores[i];
        EXPECT_NEAR(float_of_bf16(weights[i]), weight, weight / 200) << seen << ", " << i;
        EXPECT_NEAR(float_of_bf16(d_scores[i]), slope, std::abs(slope) / 200 + 1e-7)
            << seen << ", " << i;
      }
    }
  });
}

// Scores so far apart that e to their difference is no number of fp32, and what is no number.
TEST(MatrixKernels, SoftmaxOfScoresFarApartAndOfNone) {
  for_each_kernels([](const MatrixKernels& kernels) {
    std::vector<float> scores(16, -1e30F);
    scores[5] = 1e30F;
    std::vector<uint16_t> weights(16);
    kernels.softmax(scores.data(), 16, 16, 1.0F, weights.data());
    for (size_t i = 0; i < weights.size(); ++i)
      EXPECT_EQ(float_of_bf16(weights[i]), i == 5 ? 1 : 0);
    scores.assign(16, 1.0F);
    scores[5] = std::numeric_limits<float>::quiet_NaN();
    kernels.softmax(scores.data(), 16, 16, 1.0F, weights.data());
    for (const uint16_t weight : weights) EXPECT_TRUE(std::isnan(float_of_bf16(weight)));
  });
}

}  // namespace
}  // namespace sightline
