#include "kernels/row_kernels.h"

#include "tests/kernels/normal_numbers.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace sightline {
namespace {

float of_bf16(uint16_t x) { return std::bit_cast<float>(static_cast<uint32_t>(x) << 16); }

std::vector<uint16_t> bf16_of(const std::vector<float>& numbers) {
  std::vector<uint16_t> rounded(numbers.size());
  plain_row_kernels().to_bf16(numbers.data(), static_cast<int64_t>(numbers.size()), rounded.data());
  return rounded;
}

// A matrix in one format, and what its numbers stand for.
struct Case {
  std::vector<float> numbers;
  std::vector<uint16_t> halves;
  std::optional<GroupedWeights> grouped;
  WeightMatrix matrix;

  Case(WeightFormat format, int64_t outputs, int64_t inputs)
      : numbers(normal_numbers(static_cast<size_t>(outputs * inputs), 3)) {
    matrix = {WeightFormat::fp32, numbers.data(), nullptr, outputs, inputs};
    if (format == WeightFormat::fp32) return;
    if (format == WeightFormat::bf16) {
      halves = bf16_of(numbers);
      std::transform(halves.begin(), halves.end(), numbers.begin(), of_bf16);
      matrix = {format, halves.data(), nullptr, outputs, inputs};
      return;
    }
    grouped.emplace(format, numbers, outputs, inputs);
    matrix = grouped->matrix();
    for (int64_t n = 0; n < outputs; ++n) {
      const std::vector<float> row = grouped->row(n);
      std::copy(row.begin(), row.end(), numbers.begin() + n * inputs);
    }
  }
};

class RowKernelsTest : public testing::TestWithParam<const RowKernels*> {
 protected:
  const RowKernels& kernels_ = *GetParam();
};

// Every format, sizes that are no multiple of anything, every number of rows up to past a tile, and
// only the outputs asked for.
TEST_P(RowKernelsTest, ProductsAreSumsOverInputs) {
  for (const auto format :
       {WeightFormat::fp32, WeightFormat::bf16, WeightFormat::int8, WeightFormat::int4}) {
    for (const int64_t inputs : {1, 5, 16, 63, 64, 65, 200, 576}) {
      const int64_t outputs = 11, stride = weight_groups(inputs) * kWeightGroup;
      const Case made(format, outputs, inputs);
      for (int64_t rows = 1; rows <= 6; ++rows) {
        std::vector<float> x(static_cast<size_t>(rows * stride), 0.0F);
        for (int64_t s = 0; s < rows; ++s) {
          const auto numbers = normal_numbers(static_cast<size_t>(inputs), 7 + s);
          std::copy(numbers.begin(), numbers.end(), x.begin() + s * stride);
        }
        constexpr float kUntouched = 12345.0F;
        std::vector<float> y(static_cast<size_t>(rows * outputs), kUntouched);
        kernels_.products(made.matrix, {1, outputs - 1}, {x.data(), rows, stride}, y.data(),
                          outputs);
        for (int64_t s = 0; s < rows; ++s) {
          for (int64_t n = 0; n < outputs; ++n) {
            const float got = y[static_cast<size_t>(s * outputs + n)];
            if (n == 0 || n == outputs - 1) {
              EXPECT_EQ(got, kUntouched);
              continue;
            }
            double sum = 0, size = 0;
            for (int64_t k = 0; k < inputs; ++k) {
              const double term =
                  static_cast<double>(x[s * stride + k]) * made.numbers[n * inputs + k];
              sum += term;
              size += std::abs(term);
            }
            EXPECT_NEAR(got, sum, 1e-6 * size + 1e-7)
                << inputs << " inputs, format " << static_cast<int>(format);
          }
        }
      }
    }
  }
}

TEST_P(RowKernelsTest, RmsNorm) {
  for (const int64_t size : {1, 7, 64, 576}) {
    const auto x = normal_numbers(static_cast<size_t>(size), 1);
    const auto weight = normal_numbers(static_cast<size_t>(size), 2);
    std::vector<float> out(static_cast<size_t>(size));
    kernels_.rms_norm(x.data(), weight.data(), size, 1e-5F, out.data());
    double squares = 0;
    for (const float number : x) squares += static_cast<double>(number) * number;
    for (size_t i = 0; i < x.size(); ++i) {
      const double expected = x[i] / std::sqrt(squares / size + 1e-5) * weight[i];
      EXPECT_NEAR(out[i], expected, 1e-6 * std::abs(expected) + 1e-9);
    }
  }
}

// Over the whole range, in which e^-x overflows and vanishes.
TEST_P(RowKernelsTest, Swiglu) {
  std::vector<float> gate, up;
  for (float x = -120; x <= 120; x += 0.37F) {
    gate.push_back(x);
    up.push_back(1.5F);
  }
  std::vector<float> out = gate;
  kernels_.swiglu(out.data(), up.data(), static_cast<int64_t>(out.size()));
  for (size_t i = 0; i < gate.size(); ++i) {
    const double expected = gate[i] / (1 + std::exp(-static_cast<double>(gate[i]))) * 1.5;
    EXPECT_NEAR(out[i], expected, 4e-7 * std::abs(expected) + 4e-36) << gate[i];
  }
}

TEST_P(RowKernelsTest, Rotate) {
  const auto x = normal_numbers(10, 1), cos = normal_numbers(5, 2), sin = normal_numbers(5, 3);
  std::vector<float> out = x;
  kernels_.rotate(out.data(), cos.data(), sin.data(), 10);
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_NEAR(out[i], x[i] * cos[i] - x[i + 5] * sin[i], 1e-6);
    EXPECT_NEAR(out[i + 5], x[i + 5] * cos[i] + x[i] * sin[i], 1e-6);
  }
}

// Rows in any order, of one head among several.
TEST_P(RowKernelsTest, Attend) {
  for (const int64_t d : {3, 16, 40, 64}) {
    const int64_t stored = 50, heads = 3;
    const auto k = normal_numbers(static_cast<size_t>(stored * heads * d), 1);
    const auto v = normal_numbers(static_cast<size_t>(stored * heads * d), 2);
    const auto q = normal_numbers(static_cast<size_t>(d), 3);
    const auto k_halves = bf16_of(k), v_halves = bf16_of(v);
    const std::vector<int32_t> rows = {4, 49, 0, 7, 8, 9, 31};
    for (const auto format : {WeightFormat::fp32, WeightFormat::bf16}) {
      const bool is_bf16 = format == WeightFormat::bf16;
      const auto number = [&](const std::vector<float>& whole, const std::vector<uint16_t>& halves,
                              int32_t row, int64_t i) {
        const auto at = static_cast<size_t>((row * heads + 1) * d + i);
        return static_cast<double>(is_bf16 ? of_bf16(halves[at]) : whole[at]);
      };
      std::vector<double> weights;
      for (const int32_t row : rows) {
        double sum = 0;
        for (int64_t i = 0; i < d; ++i) sum += q[i] * number(k, k_halves, row, i);
        weights.push_back(std::exp(0.3 * sum));
      }
      const double all = std::accumulate(weights.begin(), weights.end(), 0.0);
      const CachedHead head =
          is_bf16 ? CachedHead{format, k_halves.data() + d, v_halves.data() + d, heads * d}
                  : CachedHead{format, k.data() + d, v.data() + d, heads * d};
      std::vector<float> scratch(rows.size()), out(static_cast<size_t>(d));
      kernels_.attend(q.data(), head, rows, d, 0.3F, scratch.data(), out.data());
      for (int64_t i = 0; i < d; ++i) {
        double expected = 0;
        for (size_t j = 0; j < rows.size(); ++j) {
          expected += weights[j] / all * number(v, v_halves, rows[j], i);
        }
        EXPECT_NEAR(out[static_cast<size_t>(i)], expected, 2e-6) << d;
      }
    }
  }
}

TEST_P(RowKernelsTest, ToBf16RoundsToTheEvenOneOfTwo) {
  const std::vector<float> numbers = {1.0F, 1.00390625F, 1.01171875F, -1.00391F,
                                      0.0F, 3e38F,       INFINITY,    NAN};
  std::vector<uint16_t> out(numbers.size());
  kernels_.to_bf16(numbers.data(), static_cast<int64_t>(numbers.size()), out.data());
  EXPECT_EQ(std::vector<uint16_t>(out.begin(), out.end() - 1),
            (std::vector<uint16_t>{0x3f80, 0x3f80, 0x3f82, 0xbf81, 0, 0x7f62, 0x7f80}));
  EXPECT_TRUE(std::isnan(of_bf16(out.back())));
}

INSTANTIATE_TEST_SUITE_P(All, RowKernelsTest,
                         testing::ValuesIn(row_kernels().begin(), row_kernels().end()),
                         [](const auto& kernels) { return std::string(kernels.param->name); });

}  // namespace
}  // namespace sightline
