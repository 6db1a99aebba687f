// Sums in memory that several processes have in common, against those that travel by sockets.

#include "dist/shared_sums.h"

#include "base/rng.h"
#include "dist/world.h"
#include "tests/dist/rank_notes.h"

#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

TEST(SharedMemory, TwoOpenersSeeTheSameBytes) {
  if (test::is_rank()) return;
  SharedMemory own(10000);
  const auto other = SharedMemory::open(own.address());
  ASSERT_NE(other, nullptr);
  ASSERT_EQ(other->size(), own.size());
  EXPECT_NE(other->data(), own.data());
  EXPECT_EQ(other->data()[9999], std::byte(0));
  own.data()[9999] = std::byte(7);
  EXPECT_EQ(other->data()[9999], std::byte(7));
}

TEST(SharedMemory, WhatIsOutOfReachIsNotOpened) {
  if (test::is_rank()) return;
  std::string gone;
  {
    const SharedMemory memory(64);
    gone = memory.address();
    std::string elsewhere = memory.address();
    elsewhere.replace(elsewhere.find("pid:["), 5, "pid:[9");
    EXPECT_EQ(SharedMemory::open(elsewhere), nullptr) << "another process namespace";
  }
  EXPECT_EQ(SharedMemory::open(gone), nullptr);
  const SharedMemory later(64);  // the number of the file that is gone
  EXPECT_EQ(SharedMemory::open(gone), nullptr);
}

const std::vector<SumShape> kShapes = {
    {.numbers = 1}, {.numbers = 33}, {.numbers = 70001}, {.numbers = 300, .dtype = at::kDouble}};

void fill(std::span<const at::Tensor> tensors, int64_t rank, uint64_t turn) {
  Rng rng(derive_seed(turn, "sums", static_cast<uint64_t>(rank)));
  for (const at::Tensor& tensor : tensors) {
    for (int64_t i = 0; i < tensor.numel(); ++i) tensor[i] = rng.normal();
  }
}

void sum(World& world, std::span<const at::Tensor> tensors) {
  std::vector<World::Finish> begun;
  for (const at::Tensor& tensor : tensors) {
    begun.push_back(world.begin_sum(tensor, Travel::full, "summing"));
  }
  for (const World::Finish& finish : begun) finish();
}

// Every rank's sums of one turn, in common memory and by sockets.
void sum_both_ways(World& world, std::span<const at::Tensor> tensors, uint64_t turn) {
  fill(tensors, world.rank(), turn);
  std::vector<at::Tensor> copies;
  for (const at::Tensor& tensor : tensors) copies.push_back(tensor.clone());
  const double before = world.exchanged().bytes;
  sum(world, tensors);
  EXPECT_EQ(world.exchanged().bytes, before) << "nothing was sent";
  sum(world, copies);
  EXPECT_GT(world.exchanged().bytes, before);
  std::string keys;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const at::Tensor difference = (tensors[i] - copies[i]).abs();
    // Of two addends there is no order; of more it is the ring's or the ranks'.
    const double bound = world.size() == 2 ? 0.0 : 1e-6;
    EXPECT_LE(difference.max().item<double>(), bound) << i;
    keys += test::key_of(tensors[i]);
  }
  test::write("sums-" + std::to_string(turn), world.rank(), keys);
}

class SharedSumsOfRanks : public testing::TestWithParam<int> {};

TEST_P(SharedSumsOfRanks, AreThoseOfSocketsAndTheSameBitsEverywhere) {
  constexpr uint64_t kTurns = 3;
  if (!test::is_rank()) {
    test::Ranks ranks(GetParam());
    ASSERT_TRUE(ranks.all_pass());
    for (uint64_t turn = 0; turn < 2 * kTurns; ++turn) {
      const std::string name = "sums-" + std::to_string(turn) + "-";
      EXPECT_NE(ranks.text(name + "0"), "");
      for (int rank = 1; rank < GetParam(); ++rank) {
        EXPECT_EQ(ranks.text(name + "0"), ranks.text(name + std::to_string(rank)));
      }
    }
    return;
  }
  World world(read_place());
  for (uint64_t stage = 0; stage < 2; ++stage) {  // the second has memory of its own
    const std::vector<at::Tensor> tensors = world.zeros_to_sum(kShapes, at::kCPU);
    for (const at::Tensor& tensor : tensors) {
      EXPECT_EQ(tensor.abs().max().item<double>(), 0);
    }
    for (uint64_t turn = 0; turn < kTurns; ++turn) {
      sum_both_ways(world, tensors, stage * kTurns + turn);
    }
  }
  world.barrier("leaving");
}

INSTANTIATE_TEST_SUITE_P(Sizes, SharedSumsOfRanks, testing::Values(2, 3, 4));

TEST(SharedSums, RanksThatAreToldToUseSocketsDo) {
  if (!test::is_rank()) {
    test::Ranks ranks(2);
    EXPECT_TRUE(ranks.all_pass());
    return;
  }
  World world(read_place(), {.neighbours = Neighbours::by_sockets});
  const std::vector<at::Tensor> tensors = world.zeros_to_sum(kShapes, at::kCPU);
  tensors[2].fill_(world.rank() + 1);
  sum(world, tensors);
  EXPECT_GT(world.exchanged().bytes, 70001 * sizeof(float) - 1);
  EXPECT_TRUE(tensors[2].eq(3).all().item<bool>());
  world.barrier("leaving");
}

}  // namespace
}  // namespace sightline
