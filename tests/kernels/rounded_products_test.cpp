#include "kernels/rounded_products.h"

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

// As models' rows are: a few numbers a hundred times as large as the others, and groups of zeros.
std::vector<float> uneven_rows(int64_t rows, int64_t inputs) {
  std::vector<float> x = normal_numbers(rows * inputs, 1);
  for (size_t i = 0; i < x.size(); i += 97) x[i] *= 100;
  for (int64_t k = 0; k < std::min(inputs, kWeightGroup); ++k) x[static_cast<size_t>(k)] = 0;
  return x;
}

struct Case {
  int64_t rows, inputs, outputs;
  std::vector<float> x_TK;
  GroupedWeights weights;

  Case(int64_t t, int64_t k, int64_t n)
      : rows(t),
        inputs(k),
        outputs(n),
        x_TK(uneven_rows(t, k)),
        weights(WeightFormat::int8, normal_numbers(n * k, 2), n, k) {}

  int64_t groups() const { return weight_groups(inputs); }
  std::vector<float> row(int64_t t) const {
    return {x_TK.begin() + t * inputs, x_TK.begin() + (t + 1) * inputs};
  }
};

// Rows and the memory they lie in.
struct Rounded {
  std::vector<uint8_t> numbers;
  std::vector<float> scales;
  RoundedRows view;
  Rounded(Rounded&&) = default;  // memory that is moved stays where it is
  Rounded(const Case& of, int64_t bytes)
      : numbers(static_cast<size_t>(of.rows * of.groups() * kWeightGroup * bytes)),
        scales(static_cast<size_t>(of.rows * of.groups())),
        view{numbers.data(), scales.data(), of.rows, of.groups()} {}
};

std::vector<float> by_definition(const Case& of) {
  Rounded rows(of, 1);
  for (int64_t t = 0; t < of.rows; ++t) {
    auto* const to = reinterpret_cast<int8_t*>(rows.numbers.data());
    plain_round_row(of.row(t), to + t * of.groups() * kWeightGroup,
                    rows.scales.data() + t * of.groups());
  }
  std::vector<float> y(static_cast<size_t>(of.rows * of.outputs));
  plain_multiply_rounded(rows.view, of.weights.matrix(), y.data());
  return y;
}

enum class Numbers { fp32, bf16 };

Rounded rounded_by(const RoundedKernels& kernels, const Case& of, Numbers numbers) {
  Rounded rows(of, kernels.bytes_of_number);
  const int64_t bytes = of.groups() * kWeightGroup * kernels.bytes_of_number;
  for (int64_t t = 0; t < of.rows; ++t) {
    const std::vector<float> x = of.row(t);
    void* const to = rows.numbers.data() + t * bytes;
    float* const scales = rows.scales.data() + t * of.groups();
    if (numbers == Numbers::fp32) {
      kernels.round_fp32(x.data(), of.inputs, to, scales);
      continue;
    }
    std::vector<uint16_t> halves;
    for (const float number : x) halves.push_back(bf16_of_float(number));
    kernels.round_bf16(halves.data(), of.inputs, to, scales);
  }
  return rows;
}

// In two ranges of outputs, as two threads would; between y's rows nothing is touched.
std::vector<float> by_kernels(const RoundedKernels& kernels, const Case& of, Numbers numbers) {
  const Rounded rows = rounded_by(kernels, of, numbers);
  const int64_t stride = of.outputs + 3, middle = of.outputs / 2 / kPanelColumns * kPanelColumns;
  std::vector<float> y(static_cast<size_t>(of.rows * stride), 0.5F);
  const ProductOutput to{
      .form = ProductOutput::Form::rows_fp32, .values = y.data(), .stride = stride};
  std::vector<uint32_t> panel;
  kernels.multiply(rows.view, of.weights.matrix(), {middle, of.outputs}, panel, to);
  kernels.multiply(rows.view, of.weights.matrix(), {0, middle}, panel, to);
  std::vector<float> found;
  for (size_t i = 0; i < y.size(); ++i) {
    if (static_cast<int64_t>(i) % stride < of.outputs) {
      found.push_back(y[i]);
    } else {
      EXPECT_EQ(y[i], 0.5F);
    }
  }
  return found;
}

// One of each; less than a tile, a panel, a group; their multiples; one beyond them.
const std::vector<std::vector<int64_t>> kSizes = {{1, 1, 1},     {4, 64, 48},  {3, 65, 9},
                                                  {8, 128, 96},  {5, 63, 17},  {6, 200, 49},
                                                  {7, 576, 145}, {2, 70, 1000}};

TEST(RoundedProducts, AreAsDefinedToTheBit) {
  for_each_kernels([](const MatrixKernels& of_matrices) {
    const RoundedKernels& kernels = *of_matrices.rounded;
    for (const auto& size : kSizes) {
      const Case of(size[0], size[1], size[2]);
      EXPECT_EQ(by_kernels(kernels, of, Numbers::fp32), by_definition(of))
          << size[0] << " rows, " << size[1] << " x " << size[2];
    }
  });
}

TEST(RoundedProducts, RowsOfBf16AreWhatTheyStandFor) {
  for_each_kernels([](const MatrixKernels& of_matrices) {
    const RoundedKernels& kernels = *of_matrices.rounded;
    Case of(5, 200, 33);
    for (float& number : of.x_TK) number = float_of_bf16(bf16_of_float(number));
    EXPECT_EQ(by_kernels(kernels, of, Numbers::bf16), by_definition(of));
  });
}

TEST(RoundedProducts, ABiasIsAddedBeforeTheyAreRoundedToBf16) {
  for_each_kernels([](const MatrixKernels& of_matrices) {
    const RoundedKernels& kernels = *of_matrices.rounded;
    const Case of(7, 130, 75);
    const Rounded rows = rounded_by(kernels, of, Numbers::fp32);
    std::vector<uint16_t> bias, y(7 * 75);
    for (const float number : normal_numbers(75, 3)) bias.push_back(bf16_of_float(number));
    std::vector<uint32_t> panel;
    kernels.multiply(rows.view, of.weights.matrix(), {0, 75}, panel,
                     {.values = y.data(), .stride = 75, .bias = bias.data()});
    const std::vector<float> expected = by_definition(of);
    for (size_t i = 0; i < y.size(); ++i) {
      EXPECT_EQ(y[i], bf16_of_float(expected[i] + float_of_bf16(bias[i % 75]))) << i;
    }
  });
}

// What rounding may do at most: half a step of each number, times the weight it meets.
TEST(RoundedProducts, AreNearTheProductsOfTheRowsThemselves) {
  const Case of(9, 300, 40);
  const std::vector<float> y = by_definition(of);
  for (int64_t t = 0; t < of.rows; ++t) {
    const std::vector<float> x = of.row(t);
    for (int64_t n = 0; n < of.outputs; ++n) {
      const std::vector<float> w = of.weights.row(n);
      double exact = 0, bound = 1e-4;
      for (size_t k = 0; k < x.size(); ++k) {
        const size_t first = k / kWeightGroup * kWeightGroup;
        const size_t last = std::min(x.size(), first + kWeightGroup);
        double largest = 0;
        for (size_t i = first; i < last; ++i) largest = std::max<double>(largest, std::abs(x[i]));
        exact += double{x[k]} * w[k];
        bound += largest / 127 / 2 * 1.001 * std::abs(w[k]);
      }
      EXPECT_NEAR(y[static_cast<size_t>(t * of.outputs + n)], exact, bound);
    }
  }
}

TEST(RoundedProducts, WhatIsNoNumberStaysSo) {
  for_each_kernels([](const MatrixKernels& of_matrices) {
    const RoundedKernels& kernels = *of_matrices.rounded;
    Case of(9, 200, 50);
    of.x_TK[3 * 200 + 77] = std::numeric_limits<float>::quiet_NaN();
    of.x_TK[5 * 200 + 199] = -std::numeric_limits<float>::infinity();
    const std::vector<float> found = by_kernels(kernels, of, Numbers::fp32);
    const std::vector<float> expected = by_definition(of);
    for (size_t i = 0; i < found.size(); ++i) {
      const bool is_none = i / 50 == 3 || i / 50 == 5;
      EXPECT_EQ(std::isnan(found[i]), is_none) << i;
      EXPECT_EQ(std::isnan(expected[i]), is_none) << i;
      if (!is_none) {
        EXPECT_EQ(found[i], expected[i]);
      }
    }
  });
}

}  // namespace
}  // namespace sightline
