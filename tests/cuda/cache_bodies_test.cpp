// A new row of each sequence into a cache, and its attention, as array_bodies_test.cpp has it.

#include "cuda/cache_bodies.h"

#include "tests/cuda/array.h"
#include "tests/cuda/block_of_threads.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace sightline {
namespace {

using test::Array;
using test::BlockOfThreads;
using test::kRounding;
using test::run_grid;

constexpr int kThreads = 64;  // two warps

// Three sequences whose rows lie anywhere and are partly shared, as beams' are.
struct Rows {
  static constexpr int64_t kStored = 400;
  std::vector<int32_t> lengths = {1, 33, 290};
  int64_t room = 2 * kCacheRoom;
  std::vector<int32_t> rows;

  Rows() : rows(lengths.size() * static_cast<size_t>(room), -1) {
    Rng rng(4);
    for (size_t s = 0; s < lengths.size(); ++s) {
      for (int32_t i = 0; i < lengths[s]; ++i) {
        rows[s * static_cast<size_t>(room) + static_cast<size_t>(i)] =
            static_cast<int32_t>(rng.below(kStored - 3));
      }
      rows[s * static_cast<size_t>(room) + static_cast<size_t>(lengths[s] - 1)] =
          kStored - 3 + static_cast<int32_t>(s);
    }
  }
};

template <class T>
class CacheBodies : public testing::Test {};
using Numbers = testing::Types<float, uint16_t>;
TYPED_TEST_SUITE(CacheBodies, Numbers);

// Heads of less and of more numbers than a warp's threads, and some that they do not divide.
TYPED_TEST(CacheBodies, AttentionOfNewRows) {
  using Number = TypeParam;
  constexpr int64_t kQueryHeads = 4, kKeyHeads = 2;
  for (const int64_t d : {12, 80}) {
    const Rows lists;
    const int64_t sequences = std::ssize(lists.lengths);
    const Array<Number> keys(Rows::kStored * kKeyHeads * d, 1),
        values(Rows::kStored * kKeyHeads * d, 2), k(sequences * kKeyHeads * d, 3),
        v(sequences * kKeyHeads * d, 4), q(sequences * kQueryHeads * d, 5),
        out(sequences * kQueryHeads * d), before(Rows::kStored * kKeyHeads * d, 1);
    const CudaCache<Number> cache = {.keys = keys.data(),
                                     .values = values.data(),
                                     .rows = lists.rows.data(),
                                     .lengths = lists.lengths.data(),
                                     .sequences = sequences,
                                     .room = lists.room,
                                     .query_heads = kQueryHeads,
                                     .key_heads = kKeyHeads,
                                     .d = d};
    run_grid((sequences * kKeyHeads * d + kThreads - 1) / kThreads, kThreads,
             [&](const BlockOfThreads& block) { gpu::store(block, cache, k.data(), v.data()); });
    for (int64_t i = 0; i < Rows::kStored * kKeyHeads * d; ++i) {
      const int64_t s = i / (kKeyHeads * d) - (Rows::kStored - 3);
      ASSERT_EQ(keys.at(i), s < 0 ? before.at(i) : k.at(s * kKeyHeads * d + i % (kKeyHeads * d)));
    }

    const float scale = 0.3F;
    std::vector<float> parts(
        static_cast<size_t>(cache_parts_size(sequences, lists.room, kQueryHeads, d)),
        std::nanf(""));
    const int64_t warps = sequences * kQueryHeads * (lists.room / kCachePart);
    run_grid(warps * 32 / kThreads, kThreads, [&](const BlockOfThreads& block) {
      gpu::attend_in_part(block, cache, q.data(), scale, parts.data());
    });
    run_grid(sequences * kQueryHeads, kThreads, [&](const BlockOfThreads& block) {
      gpu::join_parts(block, cache, parts.data(), out.data());
    });
    for (int64_t query = 0; query < sequences * kQueryHeads; ++query) {
      const int64_t s = query / kQueryHeads, head = query % kQueryHeads / 2;
      const auto first = [&](int64_t i) {
        return (lists.rows[static_cast<size_t>(s * lists.room + i)] * kKeyHeads + head) * d;
      };
      std::vector<double> weights;
      double highest = -INFINITY, total = 0;
      for (int64_t i = 0; i < lists.lengths[static_cast<size_t>(s)]; ++i) {
        double score = 0;
        for (int64_t j = 0; j < d; ++j) score += q.at(query * d + j) * keys.at(first(i) + j);
        weights.push_back(score * static_cast<double>(scale));
        highest = std::max(highest, weights.back());
      }
      for (double& weight : weights) total += weight = std::exp(weight - highest);
      for (int64_t j = 0; j < d; ++j) {
        double expected = 0;
        for (size_t i = 0; i < weights.size(); ++i) {
          expected += weights[i] / total * values.at(first(static_cast<int64_t>(i)) + j);
        }
        EXPECT_NEAR(out.at(query * d + j), expected, kRounding<Number> * std::abs(expected) + 2e-6);
      }
    }
  }
}

}  // namespace
}  // namespace sightline
