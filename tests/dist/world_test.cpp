// Real processes, on this machine.

#include "dist/world.h"

#include "base/error.h"
#include "base/log.h"
#include "base/rng.h"
#include "tests/dist/rank_notes.h"
#include "tests/dist/stand_in.h"

#include <chrono>
#include <thread>

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// Of several sizes and dtypes, one not contiguous; some larger than a bucket.
std::vector<at::Tensor> tensors_of(int64_t rank) {
  Rng rng(derive_seed(7, "tensors", static_cast<uint64_t>(rank)));
  std::vector<at::Tensor> tensors;
  for (const int64_t size : {3, 5000, 40, 700, 300, 1}) {
    at::Tensor tensor = at::empty({size, 2}, at::kFloat);
    for (int64_t i = 0; i < 2 * size; ++i) {
      tensor.data_ptr<float>()[i] = static_cast<float>(rng.normal());
    }
    tensors.push_back(tensor);
  }
  tensors[1] = tensors[1].t();
  tensors[2] = tensors[2].to(at::kBFloat16);
  tensors[4] = tensors[4].to(at::kDouble);
  return tensors;
}

// By Gloo alone, or the tensors by another backend, as those of a GPU would.
enum class Way { gloo, device };

using Ranked = std::tuple<int, Way>;

class Worlds : public testing::TestWithParam<Ranked> {
 protected:
  static int size() { return std::get<int>(GetParam()); }
  static WorldOptions options() {
    const auto calls = std::make_shared<std::vector<std::string>>();
    return {.silence = 3s,
            .bucket_numbers = 1500,
            .make_backend =
                std::get<Way>(GetParam()) == Way::gloo ? MakeBackend() : test::stand_in(calls)};
  }
};

TEST_P(Worlds, WhatEachHasComesToAllOrToItsOwner) {
  if (!test::is_rank()) {
    test::Ranks ranks(size());
    EXPECT_TRUE(ranks.all_pass());
    return;
  }
  World world(read_place(), options());
  const auto texts =
      world.gather(std::string(static_cast<size_t>(world.rank()) * 3, 'x'), "telling");
  ASSERT_EQ(std::ssize(texts), world.size());
  World::ByOwner sums, shared;
  for (int64_t owner = 0; owner < world.size(); ++owner) {
    EXPECT_EQ(std::ssize(texts[static_cast<size_t>(owner)]), 3 * owner);
    sums.push_back(tensors_of(world.rank()));
    shared.push_back(tensors_of(world.rank() == owner ? owner : 99));
  }
  world.sum_to_owners(sums, Travel::full, "summing");
  world.share_from_owners(shared, "sharing");
  const std::vector<at::Tensor> all = tensors_of(world.rank());
  world.sum(all, "summing");
  for (size_t i = 0; i < all.size(); ++i) {
    const at::Tensor& own = sums[static_cast<size_t>(world.rank())][i];
    const double bound = own.scalar_type() == at::kBFloat16 ? 0.03 : 1e-5;
    EXPECT_LT((own - all[i]).abs().max().item<double>(), bound) << i;
    for (int64_t owner = 0; owner < world.size(); ++owner) {
      const at::Tensor difference =
          shared[static_cast<size_t>(owner)][i] - tensors_of(owner)[i];  // to the bit
      EXPECT_EQ(difference.abs().max().item<double>(), 0.0) << i;
    }
  }
  world.barrier("leaving");
}

TEST_P(Worlds, SumsAreRightAndTheSameBitsEverywhere) {
  if (!test::is_rank()) {
    test::Ranks ranks(size());
    ASSERT_TRUE(ranks.all_pass());
    const std::string first = ranks.text("sums-0");
    EXPECT_NE(first, "");
    for (int rank = 1; rank < size(); ++rank) {
      EXPECT_EQ(first, ranks.text("sums-" + std::to_string(rank)));
    }
    return;
  }
  World world(read_place(), options());
  std::string keys;
  for (int repeat = 0; repeat < 3; ++repeat) {
    const std::vector<at::Tensor> sums = tensors_of(world.rank());
    world.sum(sums, "summing");
    std::string key;
    for (size_t i = 0; i < sums.size(); ++i) {
      at::Tensor expected = at::empty(sums[i].sizes(), at::kDouble).zero_();
      for (int64_t rank = 0; rank < world.size(); ++rank) {
        expected += tensors_of(rank)[i].to(at::kDouble);
      }
      const double bound = sums[i].scalar_type() == at::kBFloat16 ? 0.03 : 1e-6;
      const at::Tensor error = (sums[i].to(at::kDouble) - expected).abs();
      EXPECT_LT(error.max().item<double>(), bound) << i;
      key += test::key_of(sums[i]);
    }
    if (repeat > 0) {
      EXPECT_EQ(key, keys);
    }
    keys = key;
  }
  test::write("sums", world.rank(), keys);
  EXPECT_EQ(world.sum(std::vector<double>{1.0, static_cast<double>(world.rank())}, "counting"),
            (std::vector<double>{static_cast<double>(world.size()),
                                 static_cast<double>(world.size() * (world.size() - 1) / 2)}));
  world.barrier("leaving");
}

TEST_P(Worlds, AllGetWhatTheFirstHas) {
  if (!test::is_rank()) {
    test::Ranks ranks(size());
    EXPECT_TRUE(ranks.all_pass());
    return;
  }
  World world(read_place(), options());
  EXPECT_EQ(world.broadcast(world.is_first() ? "first" : "another", "telling"), "first");
  EXPECT_EQ(world.broadcast("", "telling"), "");
  const std::vector<at::Tensor> tensors = tensors_of(world.rank());
  world.broadcast(tensors, "telling");
  const std::vector<at::Tensor> expected = tensors_of(0);
  for (size_t i = 0; i < tensors.size(); ++i) EXPECT_TRUE(tensors[i].equal(expected[i])) << i;
  // Longer than any rank may be silent.
  const std::string result = world.first_does("working", [&] {
    EXPECT_TRUE(world.is_first());
    std::this_thread::sleep_for(4s);
    return std::string("worked");
  });
  EXPECT_EQ(result, "worked");
  world.check_same("the recipe", "x");
  std::string complaint;
  try {
    world.check_same("the recipe", world.rank() == 1 ? "y" : "x");
  } catch (const Error& error) {
    complaint = error.what();
  }
  EXPECT_THAT(complaint, HasSubstr("the recipe is not the same on all ranks: rank 1 on "));
  world.barrier("leaving");
}

INSTANTIATE_TEST_SUITE_P(Sizes, Worlds,
                         testing::Values(Ranked(2, Way::gloo), Ranked(4, Way::gloo),
                                         Ranked(3, Way::device)));

TEST(World, AloneIsNoGroup) {
  if (test::is_rank()) return;
  World world;
  EXPECT_EQ(world.size(), 1);
  EXPECT_TRUE(world.is_first());
  const at::Tensor tensor = tensors_of(0)[0], before = tensor.clone();
  world.sum(std::span(&tensor, 1), "summing");
  EXPECT_TRUE(tensor.equal(before));
  EXPECT_EQ(world.first_does("working", [] { return std::string("x"); }), "x");
  world.barrier("leaving");
}

TEST(World, WhoDoesNotComeIsNamed) {
  if (!test::is_rank()) {
    test::Ranks ranks(3, 2);
    EXPECT_TRUE(ranks.all_pass());
    return;
  }
  std::string complaint;
  try {
    World world(read_place(), {.patience = 3s});
  } catch (const Error& error) {
    complaint = error.what();
  }
  // Rank 0 may have gone with the meeting place by the time rank 1 looks.
  EXPECT_NE(complaint, "");
  if (read_place().rank > 0) return;
  EXPECT_THAT(complaint, HasSubstr("rank 2 has not come within 3 s"));
}

// A rank ends, stops or fails in the midst of a run of four; the others' complaints.
enum class Fault { dies, stops, fails };

void run_with(Fault fault, int64_t victim, Neighbours neighbours) {
  World world(read_place(), {.silence = 3s, .neighbours = neighbours});
  const SumShape shape{.numbers = 100000};
  const at::Tensor tensor = world.zeros_to_sum(std::span(&shape, 1), at::kCPU).front();
  std::string complaint;
  double since = 0;
  try {
    for (int64_t step = 1;; ++step) {
      if (step == 4 && world.rank() == victim) {
        if (fault == Fault::dies) raise(SIGKILL);
        if (fault == Fault::stops) raise(SIGSTOP);
        if (fault == Fault::fails) return world.tell_failure("a.jpg: not a picture");
      }
      since = seconds_now();
      world.begin_sum(tensor, Travel::full, "summing gradients")();
      world.at_step(step);
    }
  } catch (const Error& error) {
    complaint = error.what();
  }
  test::write("complaint", world.rank(), complaint);
  EXPECT_LT(seconds_now() - since, 20);
  EXPECT_THAT(complaint, HasSubstr("after step 3"));
}

class SlowWorldFaults : public testing::TestWithParam<std::tuple<Fault, int, Neighbours>> {};

TEST_P(SlowWorldFaults, EndTheOthersWhoNameIt) {
  const auto [fault, victim, neighbours] = GetParam();
  if (test::is_rank()) return run_with(fault, victim, neighbours);
  test::Ranks ranks(4);
  for (int rank = 0; rank < 4; ++rank) {
    if (rank == victim) continue;
    ASSERT_TRUE(ranks.passes(rank));
    const std::string complaint = ranks.text("complaint-" + std::to_string(rank));
    EXPECT_THAT(complaint, HasSubstr("rank " + std::to_string(victim) + " on ")) << rank;
    const char* why = fault == Fault::fails ? "failed: a.jpg: not a picture" : "lost rank";
    EXPECT_THAT(complaint, HasSubstr(why)) << rank;
    if (rank == 3) std::printf("%s\n", complaint.c_str());
  }
}

INSTANTIATE_TEST_SUITE_P(Slow, SlowWorldFaults,
                         testing::Combine(testing::Values(Fault::dies, Fault::stops, Fault::fails),
                                          testing::Values(0, 2),
                                          testing::Values(Neighbours::in_memory,
                                                          Neighbours::by_sockets)));

// Rank 1 computes for longer than the others ask: it is there all the same, and hears, when it
// comes to wait, what they heard meanwhile.
TEST(SlowWorld, WhoComputesForLongIsNotLost) {
  if (test::is_rank()) {
    World world(read_place(), {.silence = 30s});
    const at::Tensor tensor = at::empty({1000}, at::kFloat).fill_(1.0);
    std::string complaint;
    try {
      world.sum(std::span(&tensor, 1), "summing gradients");
      if (world.rank() == 2) raise(SIGKILL);
      if (world.rank() == 1) std::this_thread::sleep_for(12s);
      world.sum(std::span(&tensor, 1), "summing gradients");
    } catch (const Error& error) {
      complaint = error.what();
    }
    return test::write("complaint", world.rank(), complaint);
  }
  test::Ranks ranks(4);
  for (const int rank : {0, 1, 3}) {
    ASSERT_TRUE(ranks.passes(rank));
    const std::string complaint = ranks.text("complaint-" + std::to_string(rank));
    EXPECT_THAT(complaint, HasSubstr("lost rank 2 on ")) << rank;
    EXPECT_EQ(complaint.find("rank 1 on", 8), std::string::npos) << rank << ": " << complaint;
  }
}

}  // namespace
}  // namespace sightline
