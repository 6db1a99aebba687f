#include "data/packer.h"

#include "base/error.h"
#include "base/rng.h"

#include <algorithm>
#include <cstdio>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace sightline {
namespace {

std::vector<uint64_t> ids(const std::vector<PackItem>& items) {
  std::vector<uint64_t> result;
  for (const PackItem& item : items) result.push_back(item.id);
  return result;
}

TEST(Packer, TheOldestOpensAndTheBestFittingFollowInOrderOfArrival) {
  std::deque<PackItem> waiting = {{0, 3}, {1, 6}, {2, 9}, {3, 4}, {4, 3}, {5, 1}};
  EXPECT_EQ(ids(take_micro_batch(waiting, 10)), (std::vector<uint64_t>{0, 3, 4}));  // exact
  EXPECT_EQ(ids(take_micro_batch(waiting, 10)), (std::vector<uint64_t>{1, 5}));
  EXPECT_EQ(ids(take_micro_batch(waiting, 10)), (std::vector<uint64_t>{2}));
  EXPECT_TRUE(take_micro_batch(waiting, 10).empty());
}

TEST(Packer, OfEqualFillingsTheOldestItemsLeave) {
  std::deque<PackItem> waiting;
  for (uint64_t i = 0; i < 100; ++i) waiting.push_back({i, 5});
  EXPECT_EQ(ids(take_micro_batch(waiting, 53)),
            (std::vector<uint64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(waiting.front().id, 10u);
}

// Against trying every subset: nothing that holds the oldest fills more.
TEST(Packer, NoSubsetFillsASmallMicroBatchBetter) {
  Rng rng(4);
  for (int round = 0; round < 200; ++round) {
    std::deque<PackItem> waiting;
    for (uint64_t i = 0; i < 10; ++i) {
      waiting.push_back({i, 1 + static_cast<int64_t>(rng.below(30))});
    }
    int64_t best = 0;
    for (unsigned subset = 1; subset < 1024; subset += 2) {
      int64_t rows = 0;
      for (unsigned i = 0; i < 10; ++i) rows += (subset >> i & 1) * waiting[i].rows;
      if (rows <= 60) best = std::max(best, rows);
    }
    int64_t rows = 0;
    for (const PackItem& item : take_micro_batch(waiting, 60)) rows += item.rows;
    EXPECT_EQ(rows, best);
  }
}

TEST(Packer, AnItemThatCanNeverFitIsOurBug) {
  std::deque<PackItem> waiting = {{0, 3}, {1, 11}};
  EXPECT_THROW(take_micro_batch(waiting, 10), AssertionError);
}

// As the stream uses it: topped up to `look_ahead` before each micro-batch.
struct Packed {
  double fill = 0;  // of all but the last look_ahead samples' micro-batches
  size_t longest_wait = 0;
};
Packed pack_all(const std::vector<int64_t>& lengths, int64_t capacity, size_t look_ahead) {
  std::deque<PackItem> waiting;
  std::vector<size_t> arrived(lengths.size());
  std::set<uint64_t> used;
  size_t next = 0, micro_batches = 0, full_batches = 0;
  int64_t rows_of_full = 0;
  Packed result;
  for (;;) {
    while (waiting.size() < look_ahead && next < lengths.size()) {
      arrived[next] = micro_batches;
      waiting.push_back({next, lengths[next]});
      ++next;
    }
    const std::vector<PackItem> taken = take_micro_batch(waiting, capacity);
    if (taken.empty()) break;
    int64_t rows = 0;
    for (const PackItem& item : taken) {
      rows += item.rows;
      EXPECT_TRUE(used.insert(item.id).second) << item.id << " used twice";
      result.longest_wait = std::max(result.longest_wait, micro_batches - arrived[item.id]);
    }
    EXPECT_LE(rows, capacity);
    ++micro_batches;
    if (next < lengths.size()) {
      rows_of_full += rows;
      ++full_batches;
    }
  }
  EXPECT_EQ(used.size(), lengths.size());
  result.fill = static_cast<double>(rows_of_full) / static_cast<double>(full_batches * capacity);
  return result;
}

// A picture of 49 rows with five captions of 9 .. 20 tokens in branches.
std::vector<int64_t> photograph_lengths(size_t count) {
  Rng rng(1);
  std::vector<int64_t> lengths;
  for (size_t i = 0; i < count; ++i) {
    int64_t rows = 51;
    for (int caption = 0; caption < 5; ++caption) rows += 9 + static_cast<int64_t>(rng.below(12));
    lengths.push_back(rows);
  }
  return lengths;
}

TEST(Packer, FillsAlmostWhollyOnRealisticLengths) {
  const Packed photographs = pack_all(photograph_lengths(6000), 2048, 256);
  EXPECT_GT(photographs.fill, 0.995);
  EXPECT_LE(photographs.longest_wait, 256u);

  Rng rng(2);
  std::vector<int64_t> mixed;  // short questions beside long documents
  for (int i = 0; i < 4000; ++i) {
    mixed.push_back(1 + static_cast<int64_t>(rng.below(rng.below(8) == 0 ? 1024 : 120)));
  }
  const Packed documents = pack_all(mixed, 1024, 256);
  EXPECT_GT(documents.fill, 0.995);
  EXPECT_LE(documents.longest_wait, 256u);
  RecordProperty("fill_photographs", std::to_string(photographs.fill));
  RecordProperty("fill_documents", std::to_string(documents.fill));
  std::printf("fill: photographs %.4f (longest wait %zu), documents %.4f (%zu)\n", photographs.fill,
              photographs.longest_wait, documents.fill, documents.longest_wait);
}

TEST(Packer, RandomItemsAreEachUsedOnce) {
  Rng rng(3);
  for (int round = 0; round < 50; ++round) {
    std::vector<int64_t> lengths(rng.below(200));
    for (int64_t& length : lengths) length = 1 + static_cast<int64_t>(rng.below(64));
    pack_all(lengths, 64, 1 + rng.below(40));
  }
}

}  // namespace
}  // namespace sightline
