#include "base/bounded_queue.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace sightline {
namespace {

using namespace std::chrono_literals;

TEST(BoundedQueue, KeepsOrderAndMovesItems) {
  BoundedQueue<std::unique_ptr<int>> queue(4);
  const std::stop_token never;
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(queue.push(std::make_unique<int>(i), never));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(**queue.pop(never), i);
}

TEST(BoundedQueue, PushWaitsForRoom) {
  BoundedQueue<int> queue(2);
  std::atomic<int> pushed = 0;
  std::jthread producer([&](const std::stop_token& stop) {
    for (int i = 0; i < 5 && queue.push(i, stop); ++i) ++pushed;
  });
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(pushed, 2);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(queue.pop({}), i);
  producer.join();
  EXPECT_EQ(pushed, 5);
}

TEST(BoundedQueue, StopEndsWaitingOnBothSides) {
  BoundedQueue<int> full(1), empty(1);
  ASSERT_TRUE(full.push(1, {}));
  std::atomic<bool> push_result = true, popped = true;
  std::jthread producer([&](const std::stop_token& stop) { push_result = full.push(2, stop); });
  std::jthread consumer([&](const std::stop_token& stop) { popped = empty.pop(stop).has_value(); });
  std::this_thread::sleep_for(20ms);
  producer.request_stop();
  consumer.request_stop();
  producer.join();
  consumer.join();
  EXPECT_FALSE(push_result);
  EXPECT_FALSE(popped);
}

TEST(BoundedQueue, AfterStopWhatIsThereStillComes) {
  BoundedQueue<int> queue(2);
  std::stop_source source;
  ASSERT_TRUE(queue.push(1, source.get_token()));
  source.request_stop();
  EXPECT_EQ(queue.pop(source.get_token()), 1);
  EXPECT_EQ(queue.pop(source.get_token()), std::nullopt);
}

TEST(BoundedQueue, ManyThreadsLoseNothing) {
  constexpr int kThreads = 4, kItems = 5000;
  BoundedQueue<int> queue(3);
  std::atomic<long> sum = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&] {
        for (int i = 1; i <= kItems; ++i) queue.push(i, {});
      });
      threads.emplace_back([&] {
        for (int i = 1; i <= kItems; ++i) sum += *queue.pop({});
      });
    }
  }
  EXPECT_EQ(sum, long{kThreads} * kItems * (kItems + 1) / 2);
}

}  // namespace
}  // namespace sightline
