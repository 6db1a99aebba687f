#include "generate/beam_search.h"

#include "base/error.h"
#include "generate/logits_rules.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace sightline {
namespace {

struct TokenScore {
  float value;
  int32_t token;
  bool operator<(const TokenScore& other) const {
    return std::tuple(-value, token) < std::tuple(-other.value, other.token);
  }
};

// The `count` best tokens of a row that may be chosen, in no order. A heap whose front is the worst
// one kept: most tokens cost one comparison.
std::vector<TokenScore> best_tokens(std::span<const float> row, size_t count) {
  std::vector<TokenScore> best;
  for (size_t token = 0; token < row.size(); ++token) {
    const TokenScore next{row[token], static_cast<int32_t>(token)};
    check_is_number(next.value);
    if (best.size() == count) {
      if (!(next < best.front())) continue;
      std::pop_heap(best.begin(), best.end());
      best.pop_back();
    } else if (std::isinf(next.value)) {
      continue;
    }
    best.push_back(next);
    std::push_heap(best.begin(), best.end());
  }
  return best;
}

}  // namespace

bool BeamSearch::Candidate::operator<(const Candidate& other) const {
  return std::tuple(-total, token, beam) < std::tuple(-other.total, other.token, other.beam);
}

BeamSearch::BeamSearch(const DecodingRecipe& decoding, const Endings& endings)
    : decoding_(decoding), endings_(&endings), live_(1) {
  SL_ASSERT(decoding.beams >= 1 && decoding.max_new_tokens >= 1, "{} beams, {} new tokens",
            decoding.beams, decoding.max_new_tokens);
}

// The rows as the rules leave them; empty where there are none.
std::vector<float> BeamSearch::ruled_values(const Rows& own,
                                            std::span<const int32_t> chosen_before) const {
  if (!has_penalties(decoding_) && chosen_before.empty()) return {};
  std::vector<float> ruled(own.values.begin(), own.values.end());
  for (int64_t beam = 0; beam < num_live(); ++beam) {
    const std::span<float> row = std::span(ruled).subspan(beam * own.vocab, own.vocab);
    penalise_earlier_groups(row, chosen_before, decoding_.diversity);
    apply_penalties(row, decoding_, live_[beam].generated.tokens, endings_->tokens);
  }
  return ruled;
}

// The best `count` continuations of all live beams.
std::vector<BeamSearch::Candidate> BeamSearch::ranked(const Rows& rows, size_t count) const {
  std::vector<Candidate> candidates;
  for (int64_t beam = 0; beam < num_live(); ++beam) {
    for (const auto& [value, token] : best_tokens(rows.at(beam), count)) {
      candidates.push_back({live_[beam].total + value, token, beam});
    }
  }
  const size_t kept = std::min(count, candidates.size());
  std::partial_sort(candidates.begin(), candidates.begin() + static_cast<int64_t>(kept),
                    candidates.end());
  candidates.resize(kept);
  return candidates;
}

BeamSearch::Beam BeamSearch::grown(const Candidate& candidate, float log_probability) const {
  Beam beam = live_[candidate.beam];
  beam.total = candidate.total;
  Generated& generated = beam.generated;
  generated.token_log_probabilities.push_back(log_probability);
  generated.log_probability += log_probability;
  generated.ended = endings_->is_end(candidate.token);
  if (!generated.ended) {
    generated.tokens.push_back(candidate.token);
    generated.ended = endings_->strings.are_in(generated.tokens);
  }
  return beam;
}

BeamSearch::NextBeams BeamSearch::next_beams(const std::vector<Candidate>& candidates,
                                             const Rows& own) const {
  const auto beams = static_cast<size_t>(decoding_.beams);
  NextBeams next;
  for (size_t rank = 0; rank < candidates.size() && next.live.size() < beams; ++rank) {
    const Candidate& candidate = candidates[rank];
    Beam beam = grown(candidate, own.at(candidate.beam)[candidate.token]);
    if (!beam.generated.ended) {
      next.live.push_back(std::move(beam));
      next.continuations.push_back({candidate.beam, candidate.token});
    } else if (rank < beams) {
      next.ended.push_back(std::move(beam));
    }
  }
  return next;
}

void BeamSearch::finish(Beam beam) {
  Generated& generated = beam.generated;
  generated.score = length_score(beam.total, generated.length(), decoding_.length_penalty);
  const auto place = std::find_if(finished_.begin(), finished_.end(), [&](const Generated& other) {
    return generated.score > other.score;
  });
  finished_.insert(place, std::move(generated));
  if (static_cast<int64_t>(finished_.size()) > decoding_.beams) finished_.pop_back();
}

// Totals only fall, so a live beam's best score is its own total over the longest length it may
// reach (or, where length costs, over the next).
bool BeamSearch::is_decided() const {
  if (live_.empty()) return true;
  if (static_cast<int64_t>(finished_.size()) < decoding_.beams) return false;
  if (decoding_.beams == 1) return true;
  const int64_t length = decoding_.length_penalty > 0 ? decoding_.max_new_tokens : length_ + 1;
  return length_score(live_.front().total, length, decoding_.length_penalty) <=
         finished_.back().score;
}

std::vector<Continuation> BeamSearch::step(std::span<const float> log_probabilities, int64_t vocab,
                                           std::span<const int32_t> chosen_before) {
  SL_ASSERT(!live_.empty(), "the search is over");
  SL_ASSERT(static_cast<int64_t>(log_probabilities.size()) == num_live() * vocab,
            "{} numbers for {} beams and {} tokens", log_probabilities.size(), num_live(), vocab);
  const Rows own{log_probabilities, vocab};
  const std::vector<float> ruled = ruled_values(own, chosen_before);
  const Rows rows = ruled.empty() ? own : Rows{ruled, vocab};
  // Enough that `beams` are left when every end token of every beam is taken away; where stop
  // strings take more, look again among more.
  NextBeams next;
  size_t wanted = decoding_.beams + num_live() * endings_->tokens.size();
  for (;; wanted *= 2) {
    const std::vector<Candidate> candidates = ranked(rows, wanted);
    next = next_beams(candidates, own);
    const bool enough = static_cast<int64_t>(next.live.size()) == decoding_.beams;
    if (enough || candidates.size() < wanted) break;
  }
  return advance(std::move(next));
}

std::vector<Continuation> BeamSearch::advance(NextBeams next) {
  chosen_.clear();
  for (const Continuation& each : next.continuations) chosen_.push_back(each.token);
  for (Beam& beam : next.ended) finish(std::move(beam));
  // Where the rules forbid every token, the beams end where they are.
  if (!next.live.empty() || !finished_.empty()) live_ = std::move(next.live);
  ++length_;
  const bool stuck = next.continuations.empty();
  const bool decided = is_decided();
  if (!decided && !stuck && length_ < decoding_.max_new_tokens) return next.continuations;
  if (!decided) {
    for (Beam& beam : live_) finish(std::move(beam));
  }
  live_.clear();
  return {};
}

const std::vector<Generated>& BeamSearch::finished() const {
  SL_ASSERT(live_.empty() && !finished_.empty(), "the search is not over");
  return finished_;
}

}  // namespace sightline
