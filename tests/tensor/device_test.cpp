// Attention on a device that is not the CPU, the definitions that serve there, and copies to it.

#include "tensor/device.h"

#include "base/error.h"
#include "tensor/attention.h"
#include "tensor/copy_ahead.h"
#include "tests/batch/random_layout.h"
#include "tests/other_device.h"

#include <gtest/gtest.h>

namespace sightline {
namespace {

using test::kOther;
using test::OnDevice;

constexpr double kScale = 0.3;

at::Tensor random_tensor(Rng& rng, std::vector<int64_t> shape, at::ScalarType type) {
  at::Tensor x = at::zeros(shape, at::kDouble);
  for (int64_t i = 0; i < x.numel(); ++i) x.mutable_data_ptr<double>()[i] = rng.normal();
  return x.to(type);
}

double difference(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor exact = b.cpu().to(at::kDouble);
  return (a.cpu().to(at::kDouble) - exact).abs().max().item<double>() /
         std::max(exact.abs().max().item<double>(), 1e-6);
}

struct Results {
  at::Tensor out, d_q, d_k, d_v;
};

Results planned_on(at::Device device, const Layout& layout, const std::vector<at::Tensor>& given) {
  std::vector<at::Tensor> leaves;
  for (const at::Tensor& x : given) leaves.push_back(x.to(device).detach().requires_grad_(true));
  const AttentionTables tables =
      lower_plan(make_plan(layout), {device, given[0].scalar_type(), given[0].size(2)});
  const at::Tensor out = planned_attention(tables, leaves[0], leaves[1], leaves[2], kScale);
  EXPECT_EQ(out.device().type(), device.type());
  out.backward(leaves[3].detach());
  return {out.detach(), leaves[0].grad(), leaves[1].grad(), leaves[2].grad()};
}

void expect_near(const Results& found, const Results& expected, double tolerance) {
  EXPECT_LT(difference(found.out, expected.out), tolerance);
  EXPECT_LT(difference(found.d_q, expected.d_q), tolerance);
  EXPECT_LT(difference(found.d_k, expected.d_k), tolerance);
  EXPECT_LT(difference(found.d_v, expected.d_v), tolerance);
}

std::vector<at::Tensor> random_inputs(Rng& rng, int64_t rows, at::ScalarType type) {
  return {random_tensor(rng, {rows, 4, 8}, type), random_tensor(rng, {rows, 2, 8}, type),
          random_tensor(rng, {rows, 2, 8}, type), random_tensor(rng, {rows, 4, 8}, type)};
}

TEST_P(OnDevice, ProductsGiveWhatTheyGiveOnTheCpu) {
  for (uint64_t seed = 0; seed < 12; ++seed) {
    Rng rng(seed);
    const Layout layout = test::random_layout(rng);
    const auto inputs = random_inputs(rng, layout.rows(), at::kFloat);
    const int64_t before = test::flash_calls();
    expect_near(planned_on(device(), layout, inputs), planned_on(at::kCPU, layout, inputs), 1e-5);
    EXPECT_EQ(test::flash_calls(), before) << "fp32 is not flash's";
  }
}

// What a GPU's flash attention is asked for, held to the batched products in fp32.
TEST_P(OnDevice, FlashAttentionIsAskedForThePlan) {
  for (uint64_t seed = 0; seed < 24; ++seed) {
    Rng rng(100 + seed);
    const Layout layout = test::random_layout(rng);
    const auto inputs = random_inputs(rng, layout.rows(), at::kBFloat16);
    std::vector<at::Tensor> precise;
    for (const at::Tensor& x : inputs) precise.push_back(x.to(at::kFloat));
    const int64_t before = test::flash_calls();
    expect_near(planned_on(device(), layout, inputs), planned_on(at::kCPU, layout, precise), 1e-2);
    if (GetParam() == at::kCUDA) continue;  // its own are not counted
    EXPECT_GT(test::flash_calls(), before);
    EXPECT_LE(test::flash_calls(), before + (seed == 0 ? 3 : 2))
        << "two calls, and once the question";
  }
}

TEST(SlotTensors, AreCopiedAndSummedAsTheirDefinitionsSay) {
  Rng rng(5);
  for (const auto type : {at::kFloat, at::kDouble, at::kBFloat16}) {
    const Layout layout = test::random_layout(rng);
    const AttentionTables tables = lower_plan(make_plan(layout));
    const SlotTable& keys = tables.lowered->keys;
    const SlotTable::Tensors tensors = slot_tensors(keys, at::kCPU);
    const at::Tensor x = random_tensor(rng, {layout.rows(), 3, 5}, type);
    const at::Tensor slots = gather_slots(x, keys);
    EXPECT_TRUE(slots.equal(plain_gather_slots(x, tensors)));
    EXPECT_TRUE(sum_slots(slots, keys, 3).equal(plain_sum_slots(slots, tensors, layout.rows(), 3)));
  }
}

TEST(CopyAhead, OfTheCpuIsWhatWasGiven) {
  const CopyStream copies(at::kCPU);
  const at::Tensor host = at::ones({3});
  EXPECT_TRUE(copies.begin(host).arrived().is_same(host));
  EXPECT_FALSE(copies.begin({}).arrived().defined());
  EXPECT_FALSE(CopyAhead().arrived().defined());
}

// Each is what its source was when it began, whatever becomes of that.
TEST(CopyAhead, ArrivesForWhoWaits) {
  const CopyStream copies(kOther);
  const at::Tensor host = at::ones({3});
  const CopyAhead first = copies.begin(host);
  host.fill_(2);
  const CopyAhead second = copies.begin(host);
  host.fill_(3);
  EXPECT_EQ(first.arrived().sum().item<double>(), 3);
  EXPECT_EQ(second.arrived().sum().item<double>(), 6);
  EXPECT_EQ(copies.begin(second.arrived()).arrived().sum().item<double>(), 6);
}

// The device of the tests shows what is read too early: the checks above and the trainer's rest on
// it.
TEST(CopyAhead, IsNoNumberBefore) {
  const CopyStream copies(kOther);
  at::Tensor early;
  {
    const c10::impl::VirtualGuardImpl device(kOther);
    const c10::Stream before = device.exchangeStream(device.getStreamFromGlobalPool({kOther, 0}));
    early = at::ones({3}).to(kOther);
    device.exchangeStream(before);
  }
  EXPECT_TRUE(early.sum().isnan().item<bool>());
}

TEST_P(OnDevice, TakesCopiesFromBesideTheComputing) {
  const CopyStream copies(device());
  const at::Tensor host = at::randn({1000, 1000});
  const CopyAhead copy = copies.begin(host);
  EXPECT_EQ(copy.arrived().device().type(), device().type());
  EXPECT_TRUE(copy.arrived().cpu().equal(host));
}

INSTANTIATE_TEST_SUITE_P(Other, OnDevice, testing::Values(kOther));
INSTANTIATE_TEST_SUITE_P(Gpu, OnDevice, testing::Values(at::kCUDA));

std::string error_of(std::string_view name) {
  try {
    compute_device(name);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Device, IsNamedOrAnErrorSaysWhyNot) {
  EXPECT_EQ(compute_device("cpu"), at::Device(at::kCPU));
  if (usable_gpus() > 0) GTEST_SKIP() << "this machine has a GPU";
  EXPECT_EQ(compute_device("auto"), at::Device(at::kCPU));
  for (const char* name : {"cuda", "cuda:1"}) {
    EXPECT_NE(error_of(name).find(std::string("device \"") + name + "\""), std::string::npos);
    EXPECT_NE(error_of(name).find("device \"cpu\" does without"), std::string::npos);
  }
  EXPECT_NE(error_of("cuda:x").find("not known"), std::string::npos);
  EXPECT_NE(error_of("tpu").find("not known"), std::string::npos);
}

TEST(Device, NumbersComeBackTogether) {
  const std::vector<at::Tensor> singles = {at::full({}, 1.5, at::kFloat).to(kOther),
                                           at::full({}, -2.0, at::kFloat).to(kOther)};
  EXPECT_EQ(numbers_of(singles), (std::vector<double>{1.5, -2.0}));
  EXPECT_TRUE(numbers_of({}).empty());
}

}  // namespace
}  // namespace sightline
