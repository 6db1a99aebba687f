#include "train/background_checkpoint.h"

#include "base/error.h"
#include "tests/message_of.h"
#include "tests/support.h"

#include <atomic>
#include <chrono>
#include <thread>

#include <ATen/ops/full.h>
#include <gmock/gmock.h>

namespace sightline {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::HasSubstr;

ParamMap one(const std::string& name, float value) {
  ParamMap map;
  map.add(name, at::full({3}, value).set_requires_grad(true));
  return map;
}

float first_of(const at::Tensor& tensor) { return tensor.const_data_ptr<float>()[0]; }

class BackgroundCheckpointTest : public testing::Test {
 protected:
  // Rank 0's.
  BackgroundCheckpoint begin(const CheckpointShare& share) {
    auto writer = std::make_unique<CheckpointWriter>(checkpoint_);
    const fs::path staging = writer->staging();
    return {staging, share, std::move(writer), [this](CheckpointWriter& whole) {
              whole.commit({.step = 7});
              committed_ = true;
            }};
  }

  test::TemporaryFolder folder_;
  fs::path checkpoint_ = folder_.path() / "step-00000007";
  std::atomic<bool> committed_ = false;
};

TEST_F(BackgroundCheckpointTest, HoldsWhatWasThereWhenItBegan) {
  const CheckpointShare share{.weights = one("w", 1), .training = one("w.master", 2)};
  BackgroundCheckpoint background = begin(share);
  for (const ParamMap* each : {&share.weights, &share.training}) {
    for (const auto& [name, tensor] : *each) tensor.detach().fill_(9);
  }
  background.finish();
  EXPECT_TRUE(background.is_done());
  EXPECT_EQ(read_run_state(checkpoint_).step, 7);
  ParamMap weights = one("w", 0);
  restore_weights(checkpoint_, weights);
  EXPECT_EQ(first_of(weights.at("w")), 1);
  EXPECT_EQ(first_of(training_state(checkpoint_)("w.master")), 2);
}

TEST_F(BackgroundCheckpointTest, RankZeroWaitsForAllShares) {
  const Shard first{.sharding = Sharding::optimizer, .rank = 0, .ranks = 2};
  BackgroundCheckpoint background =
      begin({.weights = one("w", 1), .training = one("a.master", 2), .shard = first});
  std::this_thread::sleep_for(200ms);
  EXPECT_FALSE(background.is_done());
  EXPECT_FALSE(fs::exists(checkpoint_));
  Shard second = first;
  second.rank = 1;
  BackgroundCheckpoint other(checkpoint_.string() + ".partial",
                             {.training = one("b.master", 3), .shard = second}, nullptr, nullptr);
  other.finish();
  background.finish();
  EXPECT_TRUE(committed_);
  EXPECT_EQ(first_of(training_state(checkpoint_)("a.master")), 2);
  EXPECT_EQ(first_of(training_state(checkpoint_)("b.master")), 3);
}

TEST_F(BackgroundCheckpointTest, IsGivenUpWhereOthersDoNotCome) {
  {
    const BackgroundCheckpoint background =
        begin({.weights = one("w", 1),
               .training = one("a.master", 2),
               .shard = {.sharding = Sharding::optimizer, .rank = 0, .ranks = 2}});
  }
  EXPECT_FALSE(committed_);
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

TEST_F(BackgroundCheckpointTest, WhatGoesWrongIsTold) {
  const fs::path nowhere = folder_.path() / "nowhere";
  BackgroundCheckpoint background(nowhere, {.training = one("w.master", 1)}, nullptr, nullptr);
  EXPECT_THAT(test::message_of([&] { background.finish(); }), HasSubstr(nowhere.string()));
}

}  // namespace
}  // namespace sightline
