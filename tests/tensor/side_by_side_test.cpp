#include "tensor/side_by_side.h"

#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

TEST(SideBySide, RunsEachTaskOnAThreadOfItsOwnWithOneToComputeOn) {
  at::set_num_threads(2);
  std::vector<std::thread::id> where(3);
  std::vector<int> threads(3);
  side_by_side(3, [&](int64_t number) {
    where[static_cast<size_t>(number)] = std::this_thread::get_id();
    threads[static_cast<size_t>(number)] = at::get_num_threads();
  });
  EXPECT_EQ(std::set(where.begin(), where.end()).size(), 3u);
  EXPECT_EQ(where[0], std::this_thread::get_id());
  EXPECT_EQ(threads, (std::vector<int>{1, 1, 1}));
  EXPECT_EQ(at::get_num_threads(), 2);
}

TEST(SideBySide, GivesBackTheFirstTasksException) {
  at::set_num_threads(2);
  int finished = 0;
  try {
    side_by_side(3, [&](int64_t number) {
      if (number == 0) {
        ++finished;
        return;
      }
      throw std::runtime_error(number == 1 ? "one" : "two");
    });
    FAIL() << "nothing thrown";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "one");
  }
  EXPECT_EQ(finished, 1);
  EXPECT_EQ(at::get_num_threads(), 2);
}

}  // namespace
}  // namespace sightline
