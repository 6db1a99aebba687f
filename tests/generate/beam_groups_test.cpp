// Diverse beams against their plain definition, on a made-up language.

#include "generate/beam_groups.h"

#include "base/rng.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include <gtest/gtest.h>

namespace sightline {
namespace {

using Tokens = std::vector<int32_t>;
constexpr int32_t kVocab = 7;
const Endings kEnd{{0}, {}};

// Log-probabilities behind `tokens`: random, the same whenever they are asked for.
std::vector<float> next_row(const Tokens& tokens, uint64_t seed) {
  for (const int32_t token : tokens)
    seed = derive_seed(seed, "token", static_cast<uint64_t>(token));
  Rng rng(seed);
  std::vector<double> logits;
  double sum = 0;
  for (int32_t i = 0; i < kVocab; ++i) sum += std::exp(logits.emplace_back(1.5 * rng.normal()));
  std::vector<float> row;
  for (const double each : logits) row.push_back(static_cast<float>(each - std::log(sum)));
  return row;
}

std::vector<Generated> searched(const DecodingRecipe& decoding, uint64_t seed) {
  const auto search = make_search(decoding, kEnd, 0);
  std::vector<Tokens> live = {{}};
  while (!live.empty()) {
    std::vector<float> rows;
    for (const Tokens& tokens : live) {
      const auto row = next_row(tokens, seed);
      rows.insert(rows.end(), row.begin(), row.end());
    }
    std::vector<Tokens> next;
    for (const auto& [parent, token] : search->step(rows, kVocab)) {
      next.push_back(live.at(static_cast<size_t>(parent)));
      next.back().push_back(token);
    }
    live = std::move(next);
  }
  return search->answers();
}

struct Plain {
  Tokens tokens;  // the end token too
  double total = 0;
  bool ended() const { return !tokens.empty() && tokens.back() == 0; }
};

bool ranks_first(const Plain& a, const Plain& b) { return a.total > b.total; }

// Every group keeps its beams; a token costs `diversity` for each of its uses by earlier groups.
// A group of one beam is over at its first end; others go on to the last step.
std::vector<Plain> plain_groups(const DecodingRecipe& decoding, uint64_t seed) {
  const auto beams = static_cast<size_t>(decoding.beams / decoding.beam_groups);
  std::vector<std::vector<Plain>> live(static_cast<size_t>(decoding.beam_groups), {Plain{}});
  std::vector<std::vector<Plain>> done(live.size());
  const auto score = [&](const Plain& each) {
    return each.total / std::pow(static_cast<double>(each.tokens.size()), decoding.length_penalty);
  };
  for (int64_t step = 0; step < decoding.max_new_tokens; ++step) {
    std::map<int32_t, int> uses;
    for (size_t g = 0; g < live.size(); ++g) {
      if (beams == 1 && !done[g].empty()) continue;
      std::vector<Plain> all;
      for (const Plain& beam : live[g]) {
        const auto row = next_row(beam.tokens, seed);
        for (int32_t token = 0; token < kVocab; ++token) {
          Plain longer = beam;
          longer.tokens.push_back(token);
          longer.total += row[static_cast<size_t>(token)] - decoding.diversity * uses[token];
          all.push_back(longer);
        }
      }
      std::stable_sort(all.begin(), all.end(), ranks_first);
      live[g].clear();
      for (size_t rank = 0; rank < all.size(); ++rank) {
        if (all[rank].ended() && rank < beams) done[g].push_back(all[rank]);
        if (!all[rank].ended() && live[g].size() < beams) live[g].push_back(all[rank]);
      }
      for (const Plain& beam : live[g]) ++uses[beam.tokens.back()];
    }
  }
  std::vector<Plain> results;
  for (size_t g = 0; g < live.size(); ++g) {
    if (beams > 1 || done[g].empty()) {
      done[g].insert(done[g].end(), live[g].begin(), live[g].end());
    }
    std::stable_sort(done[g].begin(), done[g].end(),
                     [&](const Plain& a, const Plain& b) { return score(a) > score(b); });
    done[g].resize(std::min(done[g].size(), beams));
    results.insert(results.end(), done[g].begin(), done[g].end());
  }
  std::stable_sort(results.begin(), results.end(),
                   [&](const Plain& a, const Plain& b) { return score(a) > score(b); });
  return results;
}

TEST(BeamGroups, EqualTheirPlainDefinition) {
  int compared = 0;
  for (const uint64_t seed : {1, 2, 3, 4, 5, 6}) {
    for (const auto& [beams, groups, diversity] :
         {std::tuple(4, 2, 0.5), {6, 3, 1.0}, {3, 3, 0.3}, {6, 2, 8.0}}) {
      // Long answers are worth so much that no group of several beams is decided early.
      const DecodingRecipe decoding{.beams = beams,
                                    .beam_groups = groups,
                                    .diversity = diversity,
                                    .max_new_tokens = 5,
                                    .length_penalty = 4.0,
                                    .answers = beams};
      const auto expected = plain_groups(decoding, seed);
      const auto found = searched(decoding, seed);
      ASSERT_EQ(found.size(), expected.size());
      for (size_t i = 0; i < found.size(); ++i) {
        Tokens tokens = found[i].tokens;
        if (found[i].ended) tokens.push_back(0);
        EXPECT_EQ(tokens, expected[i].tokens) << "seed " << seed << ", answer " << i;
        ++compared;
      }
    }
  }
  EXPECT_GT(compared, 100);
}

TEST(BeamGroups, DiversityMakesThemDiffer) {
  const auto distinct = [](double diversity) {
    const DecodingRecipe decoding{
        .beams = 4, .beam_groups = 4, .diversity = diversity, .max_new_tokens = 4, .answers = 4};
    std::set<Tokens> answers;
    for (const Generated& each : searched(decoding, 3)) answers.insert(each.tokens);
    return answers.size();
  };
  EXPECT_EQ(distinct(0.0), 1u);
  EXPECT_EQ(distinct(50.0), 4u);
}

TEST(BeamGroups, OneGroupIsBeamSearch) {
  const DecodingRecipe decoding{.beams = 3, .max_new_tokens = 5, .answers = 3};
  BeamSearch search(decoding, kEnd);
  std::vector<Tokens> live = {{}};
  while (search.num_live() > 0) {
    std::vector<float> rows;
    for (const Tokens& tokens : live) {
      const auto row = next_row(tokens, 9);
      rows.insert(rows.end(), row.begin(), row.end());
    }
    std::vector<Tokens> next;
    for (const auto& [parent, token] : search.step(rows, kVocab)) {
      next.push_back(live.at(static_cast<size_t>(parent)));
      next.back().push_back(token);
    }
    live = std::move(next);
  }
  const auto answers = searched(decoding, 9);
  ASSERT_EQ(answers.size(), 3u);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(answers[i].tokens, search.finished()[i].tokens);
}

// The diversity's cost counts in the score, the model's own log-probability is told beside it.
TEST(BeamGroups, TellTheModelsOwnLogProbabilities) {
  const DecodingRecipe decoding{.beams = 8,
                                .beam_groups = 2,
                                .diversity = 0.2,
                                .max_new_tokens = 4,
                                .length_penalty = 0.0,
                                .answers = 8};
  int costly = 0;
  for (const Generated& answer : searched(decoding, 2)) {
    Tokens tokens, chosen = answer.tokens;
    if (answer.ended) chosen.push_back(0);
    double sum = 0;
    for (const int32_t token : chosen) {
      sum += next_row(tokens, 2)[static_cast<size_t>(token)];
      tokens.push_back(token);
    }
    EXPECT_NEAR(answer.log_probability, sum, 1e-5);
    EXPECT_LE(answer.score, sum + 1e-5);
    if (answer.score < sum - 0.15) ++costly;
  }
  EXPECT_GT(costly, 0);
}

}  // namespace
}  // namespace sightline
