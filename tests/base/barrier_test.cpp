#include "base/barrier.h"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace sightline {
namespace {

// Nobody is a round ahead: after each meeting all have done the round's work.
TEST(Barrier, NobodyPassesBeforeAllHaveCome) {
  constexpr int64_t kThreads = 3, kRounds = 2000;
  Barrier barrier;
  std::atomic<int64_t> done = 0, early = 0;
  {
    std::vector<std::jthread> threads;
    for (int64_t i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        for (int64_t round = 1; round <= kRounds; ++round) {
          ++done;
          barrier.wait(kThreads);
          if (done != round * kThreads) ++early;
          barrier.wait(kThreads);
        }
      });
    }
  }
  EXPECT_EQ(early, 0);
  EXPECT_EQ(done, kThreads * kRounds);
}

}  // namespace
}  // namespace sightline
