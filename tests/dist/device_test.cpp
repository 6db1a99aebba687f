// What travels by a device's backend, and what becomes of a rank that waits for it. There is no GPU
// here: a backend that we made stands in for NCCL.

#include "base/error.h"
#include "base/log.h"
#include "dist/world.h"
#include "tests/dist/stand_in.h"
#include "tests/ranks.h"

#include <chrono>

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using namespace std::chrono_literals;
using test::Calls;
using testing::ElementsAre;
using testing::HasSubstr;

Calls no_calls() { return std::make_shared<std::vector<std::string>>(); }

at::Tensor numbers(int64_t count, double value, at::Device device = at::kCPU) {
  return at::full({count}, value, at::TensorOptions(at::kFloat).device(device));
}

void write_complaint(int64_t rank, const std::string& text) {
  write_file(test::ranks_folder() / ("complaint-" + std::to_string(rank)), text);
}

TEST(WorldDevice, OnlyItsTensorsTravelByItsBackend) {
  if (!test::is_rank()) {
    test::Ranks ranks(2);
    EXPECT_TRUE(ranks.all_pass());
    return;
  }
  const Calls calls = no_calls();
  World world(read_place(), {.device = at::kMeta, .make_backend = test::stand_in(calls)});
  const double own = static_cast<double>(world.rank() + 1);
  const at::Tensor here = numbers(3, own), there = numbers(5, own, at::kMeta),
                   half = there.to(at::kBFloat16), too = numbers(2, own);
  world.sum(std::vector{here, there, half, too}, "summing");
  EXPECT_EQ(here.sum().item<double>(), 9);
  EXPECT_EQ(too.sum().item<double>(), 6);
  world.begin_sum(there, Travel::bf16, "summing")();
  world.sum_to_owners({{there}, {here}}, Travel::full, "summing");
  world.share_from_owners({{here}, {half}}, "sharing");
  world.broadcast(std::vector{there, too}, "sharing");
  EXPECT_THAT(*calls, ElementsAre("sum 10 Float on meta", "sum 5 BFloat16 on meta",
                                  "sum to one 5 Float on meta", "share 5 BFloat16 on meta",
                                  "share 5 Float on meta"));
  // Nor do numbers and texts.
  EXPECT_EQ(world.sum({own}, "counting"), std::vector<double>{3});
  EXPECT_EQ(world.broadcast(std::string(world.is_first() ? "a" : "b"), "telling"), "a");
  world.check_same("the recipe", "x");
  world.barrier("leaving");
  EXPECT_EQ(calls->size(), 5U);
}

TEST(WorldDevice, SumsTravelSideBySide) {
  if (!test::is_rank()) {
    test::Ranks ranks(3);
    EXPECT_TRUE(ranks.all_pass());
    return;
  }
  const Calls calls = no_calls();
  World world(read_place(), {.make_backend = test::stand_in(calls)});
  std::vector<at::Tensor> tensors;
  std::vector<World::Finish> finishes;
  for (int i = 0; i < 8; ++i) {
    tensors.push_back(numbers(1000, static_cast<double>(i + world.rank())));
    finishes.push_back(world.begin_sum(tensors.back(), i % 2 == 0 ? Travel::full : Travel::bf16,
                                       "summing gradients"));
  }
  EXPECT_EQ(calls->size(), 8U);
  for (const World::Finish& finish : finishes) finish();
  for (int i = 0; i < 8; ++i) {
    EXPECT_TRUE(tensors[static_cast<size_t>(i)].equal(numbers(1000, 3.0 * i + 3.0))) << i;
  }
  world.barrier("leaving");
}

// The stand-in would wait for ever: that the rank is gone is seen beside it.
TEST(SlowWorldDevice, ALostRankEndsTheWait) {
  if (!test::is_rank()) {
    test::Ranks ranks(3);
    for (const int rank : {0, 2}) {
      ASSERT_TRUE(ranks.passes(rank));
      EXPECT_THAT(ranks.text("complaint-" + std::to_string(rank)), HasSubstr("lost rank 1 on "));
    }
    return;
  }
  World world(read_place(), {.silence = 60s, .make_backend = test::stand_in(no_calls())});
  const at::Tensor tensor = numbers(100000, 1);
  std::string complaint;
  double since = 0;
  try {
    for (int64_t step = 1;; ++step) {
      if (step == 4 && world.rank() == 1) raise(SIGKILL);
      since = seconds_now();
      world.begin_sum(tensor, Travel::full, "summing gradients")();
      world.at_step(step);
    }
  } catch (const Error& error) {
    complaint = error.what();
  }
  write_complaint(world.rank(), complaint);
  EXPECT_LT(seconds_now() - since, 20);
  EXPECT_THAT(complaint, HasSubstr("after step 3"));
}

TEST(SlowWorldDevice, ACallThatDoesNotEndIsGivenUp) {
  if (!test::is_rank()) {
    test::Ranks ranks(2);
    EXPECT_TRUE(ranks.all_pass());
    return;
  }
  World world(read_place(),
              {.silence = 2s, .make_backend = test::stand_in(no_calls(), test::Ending::never)});
  const at::Tensor tensor = numbers(10, 1);
  std::string complaint;
  try {
    world.sum(std::span(&tensor, 1), "summing gradients");
  } catch (const Error& error) {
    complaint = error.what();
  }
  EXPECT_THAT(complaint, HasSubstr("while summing gradients: a call has taken 2 s"));
}

TEST(WorldDevice, WhoCannotHaveItsBackendEndsTheOthers) {
  if (!test::is_rank()) {
    test::Ranks ranks(2);
    EXPECT_TRUE(ranks.all_pass());
    EXPECT_EQ(ranks.text("complaint-0"), "rank 0 has no GPU");
    EXPECT_THAT(ranks.text("complaint-1"), HasSubstr("rank 0 on "));
    EXPECT_THAT(ranks.text("complaint-1"), HasSubstr("failed: rank 0 has no GPU"));
    return;
  }
  const Place place = read_place();
  const auto fails = [](const BackendRequest&) -> c10::intrusive_ptr<c10d::Backend> {
    fail("rank 0 has no GPU");
  };
  std::string complaint;
  try {
    const World world(
        place, {.silence = 30s,
                .make_backend = place.rank == 0 ? MakeBackend(fails) : test::stand_in(no_calls())});
  } catch (const Error& error) {
    complaint = error.what();
  }
  write_complaint(place.rank, complaint);
}

// The plugin lies beside the program, and not beside this test.
TEST(WorldDevice, WithoutThePluginTellsWhatToInstall) {
  if (!test::is_rank()) {
    test::Ranks ranks(2);
    EXPECT_TRUE(ranks.all_pass());
    return;
  }
  const Place place = read_place();
  std::string complaint;
  try {
    const World world(place, {.device = at::Device(at::kCUDA, 0)});
  } catch (const Error& error) {
    complaint = error.what();
  }
  EXPECT_THAT(complaint, HasSubstr("exchange gradients by NCCL"));
  EXPECT_THAT(complaint, HasSubstr("libsightline_cuda.so. Install a CUDA toolkit and NCCL"));
}

}  // namespace
}  // namespace sightline
