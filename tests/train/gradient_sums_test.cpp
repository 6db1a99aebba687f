#include "train/gradient_sums.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

struct Weights {
  at::Tensor first = at::randn({4, 3}).to(at::kBFloat16).set_requires_grad(true);
  at::Tensor second = at::randn({5}).to(at::kBFloat16).set_requires_grad(true);
  std::vector<at::Tensor> all() const { return {first, second}; }
};

// A gradient of `scale` for each number.
void backward(const at::Tensor& weight, double scale) { (weight * scale).sum().backward(); }

TEST(GradientSums, OneGradientStaysAsItCame) {
  const Weights weights;
  GradientSums sums(weights.all());
  for (int step = 0; step < 2; ++step) {
    sums.begin();
    backward(weights.first, 0.5);
    EXPECT_FALSE(weights.first.grad().defined()) << "it is taken away";
    sums.end();
    EXPECT_EQ(weights.first.grad().scalar_type(), at::kBFloat16);
    EXPECT_TRUE(weights.first.grad().eq(0.5).all().item<bool>());
    EXPECT_EQ(weights.second.grad().abs().max().item<double>(), 0) << "none came";
  }
}

// 1 + 2^-9 is no bf16: the sum is made in fp32. It stays for the steps that follow.
TEST(GradientSums, ASecondOneMakesASumInFp32) {
  const Weights weights;
  GradientSums sums(weights.all());
  for (int step = 0; step < 2; ++step) {
    sums.begin();
    backward(weights.first, 1.0);
    backward(weights.first, 1.0 / 512);
    sums.end();
    EXPECT_TRUE(weights.first.grad().eq(1.0 + 1.0 / 512).all().item<bool>());
  }
  sums.begin();
  backward(weights.first, 0.25);
  sums.end();
  EXPECT_EQ(weights.first.grad().scalar_type(), at::kFloat);
  EXPECT_TRUE(weights.first.grad().eq(0.25).all().item<bool>());
  sums.begin();
  sums.end();
  EXPECT_EQ(weights.first.grad().abs().max().item<double>(), 0) << "none came";
}

TEST(GradientSums, LaidOutTheyArePiecesOfTheBuckets) {
  const Weights weights;
  GradientSums sums(weights.all());
  const GradientBuckets& laid = sums.lay_out();
  sums.begin();
  backward(weights.second, 3.0);
  sums.end();
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_TRUE(weights.all()[i].grad().is_alias_of(laid.buckets[laid.bucket_of[i]]));
  }
  EXPECT_TRUE(weights.second.grad().eq(3.0).all().item<bool>());
  EXPECT_EQ(weights.first.grad().abs().max().item<double>(), 0);
}

}  // namespace
}  // namespace sightline
