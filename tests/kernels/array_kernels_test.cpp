#include "kernels/array_kernels.h"

#include "kernels/scalar_functions.h"
#include "tests/adamw_numbers.h"
#include "tests/kernels/normal_numbers.h"

#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace sightline {
namespace {

// Arrays in a kernel's own numbers, and what they stand for.
template <class Number>
struct Array {
  std::vector<Number> own;
  explicit Array(const std::vector<float>& numbers) {
    for (const float number : numbers) {
      if constexpr (std::is_same_v<Number, float>) {
        own.push_back(number);
      } else {
        own.push_back(bf16_of_float(number));
      }
    }
  }
  explicit Array(size_t size) : own(size) {}
  double at(size_t i) const {
    if constexpr (std::is_same_v<Number, float>) {
      return own[i];
    } else {
      return float_of_bf16(own[i]);
    }
  }
};

class ArrayKernelsTest : public testing::TestWithParam<const ArrayKernelSet*> {
 protected:
  // Calls f(kernels, a number, the rounding of its type) for both kinds of numbers.
  template <class F>
  void for_both(const F& f) {
    f(GetParam()->fp32, float{}, 4e-7);
    f(GetParam()->bf16, uint16_t{}, 1.0 / 256 + 1e-6);
  }
};

constexpr size_t kSize = 1003;  // no multiple of any register

TEST_P(ArrayKernelsTest, SwigluAndItsBackward) {
  for_both([](const auto& kernels, auto number, double rounding) {
    using Number = decltype(number);
    const Array<Number> gate(normal_numbers(kSize, 1, 4)), up(normal_numbers(kSize, 2)),
        d(normal_numbers(kSize, 3));
    Array<Number> out(kSize), d_gate(kSize), d_up(kSize);
    kernels.swiglu(gate.own.data(), up.own.data(), kSize, out.own.data());
    kernels.swiglu_backward(gate.own.data(), up.own.data(), d.own.data(), kSize, d_gate.own.data(),
                            d_up.own.data());
    for (size_t i = 0; i < kSize; ++i) {
      const double g = gate.at(i), s = 1 / (1 + std::exp(-g));
      EXPECT_NEAR(out.at(i), g * s * up.at(i), rounding * std::abs(g * s * up.at(i)) + 1e-7);
      EXPECT_NEAR(d_up.at(i), d.at(i) * g * s, rounding * std::abs(d.at(i) * g * s) + 1e-7);
      const double slope = d.at(i) * up.at(i) * s * (1 + g * (1 - s));
      EXPECT_NEAR(d_gate.at(i), slope, rounding * std::abs(slope) + 1e-6);
    }
  });
}

TEST_P(ArrayKernelsTest, GeluAndItsBackward) {
  for_both([](const auto& kernels, auto number, double rounding) {
    using Number = decltype(number);
    const Array<Number> x(normal_numbers(kSize, 1, 3)), d(normal_numbers(kSize, 3));
    Array<Number> out(kSize), d_x(kSize);
    kernels.gelu(x.own.data(), kSize, out.own.data());
    kernels.gelu_backward(x.own.data(), d.own.data(), kSize, d_x.own.data());
    for (size_t i = 0; i < kSize; ++i) {
      const double v = x.at(i), root = std::sqrt(2 / M_PI);
      const double t = std::tanh(root * (v + 0.044715 * v * v * v));
      EXPECT_NEAR(out.at(i), v * (1 + t) / 2, rounding * std::abs(v) + 1e-7);
      const double slope = (1 + t) / 2 + v * (1 - t * t) / 2 * root * (1 + 3 * 0.044715 * v * v);
      EXPECT_NEAR(d_x.at(i), d.at(i) * slope, rounding * std::abs(d.at(i) * slope) + 2e-6);
    }
  });
}

TEST_P(ArrayKernelsTest, RotateTurnsHalves) {
  for_both([](const auto& kernels, auto number, double rounding) {
    using Number = decltype(number);
    constexpr int64_t kHeads = 3, kD = 22, kHalf = kD / 2;
    const Array<Number> x(normal_numbers(kHeads * kD, 1));
    const auto cos = normal_numbers(kHalf, 2), sin = normal_numbers(kHalf, 3);
    Array<Number> out(kHeads * kD);
    kernels.rotate(x.own.data(), cos.data(), sin.data(), kHeads, kD, out.own.data());
    for (int64_t head = 0; head < kHeads; ++head) {
      for (int64_t i = 0; i < kHalf; ++i) {
        const auto a = static_cast<size_t>(head * kD + i), b = a + kHalf;
        const auto at = static_cast<size_t>(i);
        EXPECT_NEAR(out.at(a), x.at(a) * cos[at] - x.at(b) * sin[at], 4 * rounding);
        EXPECT_NEAR(out.at(b), x.at(b) * cos[at] + x.at(a) * sin[at], 4 * rounding);
      }
    }
  });
}

TEST_P(ArrayKernelsTest, GradientsAreWrittenAndAdded) {
  for_both([](const auto& kernels, auto number, double) {
    using Number = decltype(number);
    const Array<Number> x(normal_numbers(77, 1)), y(normal_numbers(77, 2));
    std::vector<float> sum(77, 5.0F);
    kernels.widen(x.own.data(), 77, sum.data());
    for (size_t i = 0; i < 77; ++i) ASSERT_EQ(sum[i], static_cast<float>(x.at(i)));
    kernels.accumulate(y.own.data(), 77, sum.data());
    for (size_t i = 0; i < 77; ++i) ASSERT_FLOAT_EQ(sum[i], static_cast<float>(x.at(i) + y.at(i)));
  });
}

// The kernels against the same formulas in double, over three steps that clip.
constexpr size_t kMany = 5001;

// `master_at` tells what stands in memory, `kernel` makes a step of it.
void hold_to_formulas(const std::function<double(const AdamWNumbers&, const std::vector<float>&,
                                                 float* first, float* second)>& kernel,
                      const std::function<double(size_t)>& master_at) {
  std::vector<float> first(kMany, 0.0F), second(kMany, 0.0F);
  std::vector<double> w(kMany), m(kMany, 0.0), v(kMany, 0.0);
  for (size_t i = 0; i < kMany; ++i) w[i] = master_at(i);
  for (int step = 1; step <= 3; ++step) {
    // Numbers that bf16 holds.
    auto gradient = normal_numbers(kMany, 10 + static_cast<uint64_t>(step));
    for (float& g : gradient) g = float_of_bf16(bf16_of_float(g));
    const double squares =
        kernel(test::adamw_numbers_of_step(step), gradient, first.data(), second.data());
    double expected = 0;
    for (size_t i = 0; i < kMany; ++i) {
      const double g = 0.3 * gradient[i];
      m[i] = 0.9 * m[i] + 0.1 * g;
      v[i] = 0.98 * v[i] + 0.02 * g * g;
      const double before = w[i];
      w[i] = before * (1 - 0.01 * 0.1) - 0.01 * (m[i] / (1 - std::pow(0.9, step))) /
                                             (std::sqrt(v[i] / (1 - std::pow(0.98, step))) + 1e-8);
      expected += (w[i] - before) * (w[i] - before);
      ASSERT_NEAR(master_at(i), w[i], 2e-6);
    }
    EXPECT_NEAR(squares, expected, 1e-4 * expected);
  }
}

TEST_P(ArrayKernelsTest, AdamWOfFloats) {
  std::vector<float> weight = normal_numbers(kMany, 1);
  hold_to_formulas(
      [&](const AdamWNumbers& numbers, const std::vector<float>& gradient, float* first,
          float* second) {
        return GetParam()->adamw.fp32(numbers, kMany, gradient.data(), weight.data(), nullptr,
                                      first, second);
      },
      [&](size_t i) { return weight[i]; });
}

// Of bf16 weights, by gradients in bf16 and by their sums in fp32: the same masters.
TEST_P(ArrayKernelsTest, AdamWOfBf16) {
  for (const bool by_sums : {false, true}) {
    std::vector<uint16_t> weight;
    std::vector<int16_t> rest;
    for (const float x : normal_numbers(kMany, 1)) {
      weight.push_back(with_rest(x).rounded);
      rest.push_back(with_rest(x).rest);
    }
    hold_to_formulas(
        [&](const AdamWNumbers& numbers, const std::vector<float>& gradient, float* first,
            float* second) {
          const AdamWKernels& kernels = GetParam()->adamw;
          if (by_sums) {
            return kernels.bf16_by_sums(numbers, kMany, gradient.data(), weight.data(), rest.data(),
                                        first, second);
          }
          std::vector<uint16_t> rounded;
          for (const float g : gradient) rounded.push_back(bf16_of_float(g));
          return kernels.bf16(numbers, kMany, rounded.data(), weight.data(), rest.data(), first,
                              second);
        },
        [&](size_t i) { return joined(weight[i], rest[i]); });
    for (size_t i = 0; i < kMany; ++i) {
      ASSERT_EQ(weight[i], with_rest(joined(weight[i], rest[i])).rounded);
    }
  }
}

TEST_P(ArrayKernelsTest, Squares) {
  for_both([](const auto& kernels, auto number, double) {
    const Array<decltype(number)> x(normal_numbers(kMany, 1));
    double expected = 0;
    for (size_t i = 0; i < kMany; ++i) expected += x.at(i) * x.at(i);
    EXPECT_NEAR(kernels.squares(x.own.data(), kMany), expected, 1e-6 * expected);
  });
}

INSTANTIATE_TEST_SUITE_P(All, ArrayKernelsTest,
                         testing::ValuesIn(array_kernels().begin(), array_kernels().end()),
                         [](const auto& kernels) { return std::string(kernels.param->name); });

TEST(ScalarFunctions, ExponentialIsWithinTwoUnits) {
  for (double x = -87; x < 87; x += 0.00037) {
    const auto at = static_cast<float>(x);
    const double expected = std::exp(static_cast<double>(at));
    ASSERT_NEAR(exponential(at), expected, 2.4e-7 * expected) << at;
  }
  EXPECT_LE(exponential(-1e30F), 2e-38F);
  EXPECT_GE(exponential(1e30F), 6e37F);
  EXPECT_GT(exponential(NAN), 0.0F);
}

// Every bf16 with every rest that rounding can leave: the two are the number, to the bit, and the
// bf16 is no farther from it than that nearest.
TEST(ScalarFunctions, ABf16AndItsRestAreTheNumber) {
  for (uint32_t bits = 0; bits < 0x7f7f8000U; bits += 0x3fd) {
    for (const uint32_t sign : {0U, 0x80000000U}) {
      const auto x = std::bit_cast<float>(bits | sign);
      const RoundedWithRest both = with_rest(x);
      ASSERT_EQ(std::bit_cast<uint32_t>(joined(both.rounded, both.rest)), bits | sign);
      ASSERT_LE(std::abs(static_cast<double>(float_of_bf16(both.rounded)) - x),
                std::abs(static_cast<double>(float_of_bf16(bf16_of_float(x))) - x));
    }
  }
  for (const uint32_t tie : {0x3f808000U, 0x3f818000U, 0xbf808000U, 0x00008000U}) {
    const RoundedWithRest both = with_rest(std::bit_cast<float>(tie));
    EXPECT_EQ(both.rounded, (tie >> 16) + 1) << "the larger in size";
    EXPECT_EQ(std::bit_cast<uint32_t>(joined(both.rounded, both.rest)), tie);
  }
}

TEST(ScalarFunctions, Bf16RoundsToTheEvenOneOfTwo) {
  EXPECT_EQ(bf16_of_float(1.00390625F), 0x3f80);
  EXPECT_EQ(bf16_of_float(1.01171875F), 0x3f82);
  EXPECT_EQ(bf16_of_float(std::numeric_limits<float>::infinity()), 0x7f80);
  EXPECT_TRUE(std::isnan(float_of_bf16(bf16_of_float(std::nanf("")))));
}

}  // namespace
}  // namespace sightline
