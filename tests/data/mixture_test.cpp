#include "data/mixture.h"

#include "tests/data/support.h"

#include <algorithm>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using Entry = MixtureStream::Entry;

bool operator_equal(const Draw& a, const Draw& b) {
  return a.entry == b.entry && a.number == b.number && a.pass == b.pass;
}

std::vector<Draw> all_draws(MixtureStream& stream) {
  std::vector<Draw> draws;
  while (const auto draw = stream.next()) draws.push_back(*draw);
  return draws;
}

TEST(Mixture, EveryPassGivesEachExampleOnceInAFreshOrder) {
  MixtureStream stream({{100, 1.0}}, 3, 7);
  const std::vector<Draw> draws = all_draws(stream);
  ASSERT_EQ(draws.size(), 300u);
  std::vector<std::vector<uint32_t>> passes(3);
  for (const Draw& draw : draws) passes.at(draw.pass).push_back(draw.number);
  for (const auto& pass : passes) {
    EXPECT_EQ(std::set<uint32_t>(pass.begin(), pass.end()).size(), 100u);
    EXPECT_EQ(pass.size(), 100u);
  }
  EXPECT_NE(passes[0], passes[1]);
  EXPECT_NE(passes[1], passes[2]);
  EXPECT_EQ(stream.progress(), 1.0);
  MixtureStream other({{100, 1.0}}, 3, 8);
  EXPECT_NE(all_draws(other)[0].number, draws[0].number);
}

TEST(Mixture, HalfAnEpochIsHalfOfTheFirstEntry) {
  MixtureStream stream({{10, 1.0}, {50, 0.5}}, 0.5, 7);
  const std::vector<Draw> draws = all_draws(stream);
  EXPECT_EQ(std::count_if(draws.begin(), draws.end(), [](const Draw& d) { return d.entry == 0; }),
            5);
}

TEST(Mixture, DrawsByWeightWithoutRepeatsUntilSpent) {
  MixtureStream stream({{6000, 1.0}, {500, 0.5}, {100000, 2.0}, {9, 0.0}}, 1, 3);
  std::map<uint32_t, double> share;
  std::map<std::pair<uint32_t, uint64_t>, std::set<uint32_t>> seen;
  const std::vector<Draw> draws = all_draws(stream);
  for (const Draw& draw : draws) {
    share[draw.entry] += 1.0 / static_cast<double>(draws.size());
    EXPECT_TRUE(seen[std::pair(draw.entry, draw.pass)].insert(draw.number).second);
  }
  EXPECT_NEAR(share[0], 1.0 / 3.5, 0.01);
  EXPECT_NEAR(share[1], 0.5 / 3.5, 0.01);
  EXPECT_NEAR(share[2], 2.0 / 3.5, 0.01);
  EXPECT_FALSE(share.contains(3));
  EXPECT_EQ((seen[std::pair(0u, uint64_t{0})].size()), 6000u);
  for (uint64_t pass = 0; pass < 5; ++pass) {
    EXPECT_EQ((seen[std::pair(1u, pass)].size()), 500u) << pass;
  }
}

TEST(Mixture, AnEntryBesideTheFirstEndsAfterItsRepeats) {
  for (const double repeats : {0.5, 1.0, 2.5}) {
    const std::vector<Entry> entries = {{3000, 1.0}, {100, 1.0, repeats}, {50, 0.5}};
    MixtureStream stream(entries, 2, 3);
    std::map<uint32_t, size_t> count;
    std::optional<Json> state_when_spent;
    std::vector<Draw> rest;
    while (const auto draw = stream.next()) {
      if (state_when_spent) rest.push_back(*draw);
      ++count[draw->entry];
      if (!state_when_spent && count[1] == static_cast<size_t>(repeats * 100)) {
        state_when_spent = stream.state();
      }
    }
    EXPECT_EQ(count[0], 6000u);
    EXPECT_EQ(count[1], static_cast<size_t>(repeats * 100));
    EXPECT_GT(count[2], 2500u);  // once the second is spent, a third of what is drawn
    MixtureStream restored(entries, 2, 3);
    restored.restore(*state_when_spent);
    const std::vector<Draw> again = all_draws(restored);
    ASSERT_EQ(again.size(), rest.size());
    for (size_t i = 0; i < rest.size(); ++i) EXPECT_TRUE(operator_equal(again[i], rest[i])) << i;
  }
}

TEST(Mixture, ARestoredStreamGoesOnTheSame) {
  const std::vector<Entry> entries = {{50, 1.0}, {20, 0.7}};
  MixtureStream whole(entries, 2, 5);
  const std::vector<Draw> expected = all_draws(whole);
  for (const size_t stop : {size_t{0}, size_t{1}, size_t{49}, size_t{77}, expected.size()}) {
    MixtureStream first(entries, 2, 5);
    for (size_t i = 0; i < stop; ++i) first.next();
    const Json state = Json::parse(first.state().dump());
    MixtureStream second(entries, 2, 5);
    second.restore(state);
    EXPECT_EQ(second.progress(), first.progress());
    const std::vector<Draw> rest = all_draws(second);
    ASSERT_EQ(rest.size(), expected.size() - stop);
    for (size_t i = 0; i < rest.size(); ++i) {
      EXPECT_TRUE(operator_equal(rest[i], expected[stop + i])) << stop << " + " << i;
    }
  }
}

TEST(Mixture, AStateOfOtherDataIsAnError) {
  MixtureStream small({{50, 1.0}}, 2, 5);
  MixtureStream large({{51, 1.0}}, 2, 5);
  MixtureStream two({{50, 1.0}, {3, 1.0}}, 2, 5);
  EXPECT_THAT(test::message_of([&] { large.restore(small.state()); }),
              testing::HasSubstr("had 50 examples, now it has 51"));
  EXPECT_THAT(test::message_of([&] { two.restore(small.state()); }), testing::HasSubstr("resume"));
  EXPECT_THAT(test::message_of([&] { two.restore(Json::object()); }), testing::HasSubstr("sizes"));
}

}  // namespace
}  // namespace sightline
