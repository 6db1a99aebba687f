// What the GPU's threads do, done by threads of the CPU and held to the same formulas in double.
// The launches, and what the GPU's own instructions round, are left to a machine that has one.

#include "cuda/array_bodies.h"

#include "base/rng.h"
#include "kernels/scalar_functions.h"
#include "tests/adamw_numbers.h"
#include "tests/cuda/array.h"
#include "tests/cuda/block_of_threads.h"

#include <cmath>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

namespace sightline {
namespace {

using test::Array;
using test::BlockOfThreads;
using test::kRounding;
using test::run_grid;

constexpr int kThreads = 64;  // two warps

// In both numbers, in single ones and in packs.
template <class NumberType, int pack>
struct Form {
  using Number = NumberType;
  static constexpr int kWidth = pack;
};

template <class T>
class ArrayBodies : public testing::Test {};
using Forms = testing::Types<Form<float, 1>, Form<float, 4>, Form<uint16_t, 1>, Form<uint16_t, 8>>;
TYPED_TEST_SUITE(ArrayBodies, Forms);

TYPED_TEST(ArrayBodies, SwigluAndItsBackward) {
  using Number = typename TypeParam::Number;
  constexpr int kWidth = TypeParam::kWidth;
  constexpr int64_t kPacks = 150, kSize = kPacks * kWidth;  // no whole number of blocks
  constexpr int64_t kBlocks = (kPacks + kThreads - 1) / kThreads;
  constexpr double kError = kRounding<Number>;
  const Array<Number> gate(kSize, 1, 4), up(kSize, 2), d(kSize, 3);
  const Array<Number> out(kSize + 8), d_gate(kSize), d_up(kSize);
  gpu::put(out.data()[kSize], 77);
  run_grid(kBlocks, kThreads, [&](const BlockOfThreads& block) {
    gpu::swiglu<kWidth>(block, gate.data(), up.data(), kPacks, out.data());
    gpu::swiglu_backward<kWidth>(block, gate.data(), up.data(), d.data(), kPacks, d_gate.data(),
                                 d_up.data());
  });
  for (int64_t i = 0; i < kSize; ++i) {
    const double g = gate.at(i), s = 1 / (1 + std::exp(-g));
    EXPECT_NEAR(out.at(i), g * s * up.at(i), kError * std::abs(g * s * up.at(i)) + 1e-7);
    EXPECT_NEAR(d_up.at(i), d.at(i) * g * s, kError * std::abs(d.at(i) * g * s) + 1e-7);
    const double slope = d.at(i) * up.at(i) * s * (1 + g * (1 - s));
    EXPECT_NEAR(d_gate.at(i), slope, kError * std::abs(slope) + 1e-6);
  }
  EXPECT_EQ(out.at(kSize), 77);  // nothing behind the end
}

TYPED_TEST(ArrayBodies, RotateTurnsTheHalvesOfRowsThatLieApart) {
  using Number = typename TypeParam::Number;
  constexpr int kWidth = TypeParam::kWidth, kHeads = 5, kD = 48, kHalf = kD / 2;
  constexpr int64_t kRows = 3, kStride = kHeads * kD + 16;
  const Array<Number> x(kRows * kStride, 1), out(kRows * kHeads * kD);
  const Array<float> cos(kRows * kHalf, 2), sin(kRows * kHalf, 3);
  run_grid(kRows, kThreads, [&](const BlockOfThreads& block) {
    gpu::rotate<kWidth>(block, x.data(), kStride, cos.data(), sin.data(), kHeads, kD, out.data());
  });
  for (int64_t place = 0; place < kRows * kHeads * kHalf; ++place) {
    const int64_t row = place / (kHeads * kHalf), head = place / kHalf % kHeads, i = place % kHalf;
    const int64_t from = row * kStride + head * kD + i, to = (row * kHeads + head) * kD + i;
    const double c = cos.at(row * kHalf + i), s = sin.at(row * kHalf + i);
    const double a = x.at(from), b = x.at(from + kHalf);
    EXPECT_NEAR(out.at(to), a * c - b * s, 4 * kRounding<Number>);
    EXPECT_NEAR(out.at(to + kHalf), b * c + a * s, 4 * kRounding<Number>);
  }
}

TYPED_TEST(ArrayBodies, RmsNormAndItsBackward) {
  using Number = typename TypeParam::Number;
  constexpr int kWidth = TypeParam::kWidth;
  constexpr int64_t kRows = 7, kSize = 200, kBlocks = 4,
                    kBlockRows = 2;  // the last block's are one
  constexpr double kEpsilon = 1e-5, kError = kRounding<Number>;
  const Array<Number> x(kRows * kSize, 1, 2), weight(kSize, 2), d(kRows * kSize, 3);
  const Array<Number> out(kRows * kSize), d_x(kRows * kSize);
  const Array<float> scale(kRows), d_weight(kBlocks * kSize), again(kBlocks * kSize);
  run_grid(kRows, kThreads, [&](const BlockOfThreads& block) {
    gpu::rms_norm<kWidth>(block, x.data(), weight.data(), kSize, static_cast<float>(kEpsilon),
                          out.data(), scale.data());
  });
  for (const Array<float>* gradient : {&d_weight, &again}) {
    std::vector<float> sums(kSize);
    run_grid(kBlocks, kThreads, [&](const BlockOfThreads& block) {
      gpu::rms_norm_backward<kWidth>(block, x.data(), weight.data(), scale.data(), d.data(), kRows,
                                     kBlockRows, kSize, d_x.data(), gradient->data(), sums.data());
    });
  }
  std::vector<double> expected(kSize);
  for (int64_t row = 0; row < kRows; ++row) {
    const int64_t at = row * kSize;
    double squares = 0, product = 0;
    for (int64_t i = 0; i < kSize; ++i) squares += x.at(at + i) * x.at(at + i);
    const double r = 1 / std::sqrt(squares / kSize + kEpsilon);
    EXPECT_NEAR(scale.at(row), r, 1e-6 * r);
    for (int64_t i = 0; i < kSize; ++i) product += d.at(at + i) * weight.at(i) * x.at(at + i);
    for (int64_t i = 0; i < kSize; ++i) {
      const double y = x.at(at + i) * r * weight.at(i);
      EXPECT_NEAR(out.at(at + i), y, kError * std::abs(y) + 2e-6);
      const double slope =
          r * (d.at(at + i) * weight.at(i) - x.at(at + i) * r * r * product / kSize);
      EXPECT_NEAR(d_x.at(at + i), slope, kError * std::abs(slope) + 2e-6);
      expected[static_cast<size_t>(i)] += d.at(at + i) * x.at(at + i) * r;
    }
  }
  for (int64_t i = 0; i < kSize; ++i) {
    double sum = 0;
    for (int64_t block = 0; block < kBlocks; ++block) sum += d_weight.at(block * kSize + i);
    EXPECT_NEAR(sum, expected[static_cast<size_t>(i)], 1e-5);
  }
  for (int64_t i = 0; i < kBlocks * kSize; ++i) EXPECT_EQ(d_weight.at(i), again.at(i));
}

// Three steps that clip, against the CPU's kernel of the same weights and gradients.
template <int width, class Weight, class Gradient>
void hold_adamw_to(AdamWKernel<Weight, Gradient> kernel) {
  constexpr int64_t kPacks = 300, kSize = kPacks * width, kPiece = 100, kPieces = 3;
  Array<Weight> weight(kSize, 1), cpu_weight(kSize, 1);
  Array<float> first(kSize), second(kSize), cpu_first(kSize), cpu_second(kSize);
  std::vector<int16_t> rests(kSize), cpu_rests(kSize);
  for (size_t i = 0; i < rests.size(); ++i) {
    rests[i] = cpu_rests[i] = static_cast<int16_t>(i * 977 % 1000) - 500;
  }
  const bool is_master = sizeof(Weight) == 4;
  int16_t *const rest = is_master ? nullptr : rests.data(), *const cpu_rest =
                                                                is_master ? nullptr
                                                                          : cpu_rests.data();
  for (int step = 1; step <= 3; ++step) {
    const Array<Gradient> gradient(kSize, 10 + static_cast<uint64_t>(step));
    const AdamWNumbers numbers = test::adamw_numbers_of_step(step);
    std::vector<double> squares(kPieces);
    run_grid(kPieces, kThreads, [&](const BlockOfThreads& block) {
      gpu::adamw<width>(block, gpu::factors_of(numbers), kPacks, kPiece, gradient.data(),
                        weight.data(), rest, first.data(), second.data(), squares.data());
    });
    const double expected = kernel(numbers, kSize, gradient.data(), cpu_weight.data(), cpu_rest,
                                   cpu_first.data(), cpu_second.data());
    EXPECT_NEAR(squares[0] + squares[1] + squares[2], expected, 1e-4 * expected);
    for (int64_t i = 0; i < kSize; ++i) {
      ASSERT_NEAR(first.at(i), cpu_first.at(i), 1e-6);
      ASSERT_NEAR(second.at(i), cpu_second.at(i), 1e-6);
      const auto at = static_cast<size_t>(i);
      if constexpr (sizeof(Weight) == 2) {
        const uint16_t rounded = weight.data()[i];
        ASSERT_EQ(rounded, with_rest(joined(rounded, rests[at])).rounded);
      }
      const auto master = [&](const Array<Weight>& rounded, const std::vector<int16_t>& left) {
        if constexpr (sizeof(Weight) == 4) return rounded.at(i);
        return static_cast<double>(joined(static_cast<uint16_t>(rounded.data()[i]), left[at]));
      };
      ASSERT_NEAR(master(weight, rests), master(cpu_weight, cpu_rests), 2e-6);
    }
  }
}

template <int width>
void hold_all_adamw() {
  const AdamWKernels& kernels = array_kernels().back()->adamw;
  hold_adamw_to<width>(kernels.fp32);
  hold_adamw_to<width>(kernels.bf16);
  hold_adamw_to<width>(kernels.bf16_by_sums);
}

TEST(ArrayBodiesOfFloats, AdamW) {
  hold_all_adamw<1>();
  hold_all_adamw<4>();
}

TEST(ArrayBodiesOfFloats, Bf16RoundsAsOnTheCpu) {
  Rng rng(1);
  for (int i = 0; i < 100000; ++i) {
    const auto x = static_cast<float>(rng.normal() * std::exp(rng.normal() * 20));
    uint16_t rounded = 0;
    gpu::put(rounded, x);
    ASSERT_EQ(rounded, bf16_of_float(x)) << x;
  }
  uint16_t rounded = 0;
  gpu::put(rounded, std::nanf(""));
  EXPECT_TRUE(std::isnan(gpu::float_of(rounded)));
}

}  // namespace
}  // namespace sightline
