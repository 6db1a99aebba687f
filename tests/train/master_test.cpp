#include "train/master.h"

#include "kernels/scalar_functions.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

TEST(Master, OfABf16WeightIsTheWeight) {
  const at::Tensor weight = at::randn({5, 3}).to(at::kBFloat16).set_requires_grad(true);
  const Master master = Master::of(weight);
  EXPECT_FALSE(master.is_weight());
  EXPECT_EQ(master.dtype(), at::kFloat);
  EXPECT_TRUE(at::equal(master.numbers(), weight.detach().to(at::kFloat)));
}

TEST(Master, OfFp32AndFp64IsTheirMemory) {
  for (const auto dtype : {at::kFloat, at::kDouble}) {
    const Master master = Master::of(at::randn({4}, dtype));
    EXPECT_TRUE(master.is_weight());
    EXPECT_TRUE(master.numbers().is_alias_of(master.weight));
    const at::Tensor numbers = at::randn({4}, dtype);
    master.put(numbers);
    EXPECT_TRUE(at::equal(master.weight, numbers));
  }
}

// Numbers of all sizes, ties, zeros and infinities: kept to the bit, and joined and parted as the
// kernels do.
TEST(Master, KeepsEveryBitAsTheKernelsDo) {
  at::Tensor numbers = at::randn({10000}).mul_(at::randn({10000}).mul_(20).exp_());
  const std::vector<float> special = {0.0F,   -0.0F,    1.00390625F, -1.01171875F,
                                      1e-42F, INFINITY, -INFINITY,   3.4e38F};
  numbers.narrow(0, 0, 8).copy_(at::tensor(special));
  const Master master = Master::of(at::randn({10000}).to(at::kBFloat16).set_requires_grad(true));
  master.put(numbers);
  EXPECT_TRUE(at::equal(master.numbers().view(at::kInt), numbers.view(at::kInt)));
  const auto* const rounded = static_cast<const uint16_t*>(master.weight.const_data_ptr());
  for (int64_t i = 0; i < 10000; ++i) {
    const RoundedWithRest expected = with_rest(numbers.const_data_ptr<float>()[i]);
    ASSERT_EQ(rounded[i], expected.rounded) << i;
    ASSERT_EQ(master.rest.const_data_ptr<int16_t>()[i], expected.rest) << i;
  }
}

TEST(Master, APieceIsTheSameMemory) {
  const Master master = Master::of(at::randn({4, 3}).to(at::kBFloat16));
  const at::Tensor numbers = at::randn({5});
  master.piece(2, 5).put(numbers);
  EXPECT_TRUE(at::equal(master.numbers().view({-1}).narrow(0, 2, 5), numbers));
}

}  // namespace
}  // namespace sightline
