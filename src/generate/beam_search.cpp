#include "generate/beam_search.h"

#include "base/error.h"

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

// The `count` best tokens of a row, in no order. A heap whose front is the worst one kept: most
// tokens cost one comparison.
std::vector<TokenScore> best_tokens(std::span<const float> row, size_t count) {
  std::vector<TokenScore> best;
  for (size_t token = 0; token < row.size(); ++token) {
    const TokenScore next{row[token], static_cast<int32_t>(token)};
    check(!std::isnan(next.value),
          "the model's output is not a number: its weights, or a picture's features, are broken");
    if (best.size() == count) {
      if (!(next < best.front())) continue;
      std::pop_heap(best.begin(), best.end());
      best.pop_back();
    }
    best.push_back(next);
    std::push_heap(best.begin(), best.end());
  }
  return best;
}

double score_of(double log_probability, int64_t length, double length_penalty) {
  return log_probability / std::pow(static_cast<double>(length), length_penalty);
}

}  // namespace

bool BeamSearch::Candidate::operator<(const Candidate& other) const {
  return std::tuple(-log_probability, token, beam) <
         std::tuple(-other.log_probability, other.token, other.beam);
}

BeamSearch::BeamSearch(const DecodingOptions& options, std::span<const int32_t> end_ids)
    : options_(options), end_ids_(end_ids.begin(), end_ids.end()), live_(1) {
  SL_ASSERT(options.beams >= 1 && options.max_new_tokens >= 1, "{} beams, {} new tokens",
            options.beams, options.max_new_tokens);
}

bool BeamSearch::is_end(int32_t token) const {
  return std::find(end_ids_.begin(), end_ids_.end(), token) != end_ids_.end();
}

std::vector<BeamSearch::Candidate> BeamSearch::ranked(std::span<const float> log_probabilities,
                                                      int64_t vocab) const {
  SL_ASSERT(static_cast<int64_t>(log_probabilities.size()) == num_live() * vocab,
            "{} numbers for {} beams and {} tokens", log_probabilities.size(), num_live(), vocab);
  // Enough that `beams` are left when every end token of every beam is taken away.
  const size_t wanted = options_.beams + num_live() * end_ids_.size();
  std::vector<Candidate> candidates;
  for (int64_t beam = 0; beam < num_live(); ++beam) {
    for (const auto& [value, token] :
         best_tokens(log_probabilities.subspan(beam * vocab, vocab), wanted)) {
      candidates.push_back({live_[beam].log_probability + value, token, beam});
    }
  }
  const size_t kept = std::min(wanted, candidates.size());
  std::partial_sort(candidates.begin(), candidates.begin() + static_cast<int64_t>(kept),
                    candidates.end());
  candidates.resize(kept);
  return candidates;
}

void BeamSearch::finish(Generated generated) {
  const auto length = static_cast<int64_t>(generated.tokens.size()) + (generated.ended ? 1 : 0);
  generated.score = score_of(generated.log_probability, length, options_.length_penalty);
  const auto place = std::find_if(finished_.begin(), finished_.end(), [&](const Generated& other) {
    return generated.score > other.score;
  });
  finished_.insert(place, std::move(generated));
  if (static_cast<int64_t>(finished_.size()) > options_.beams) finished_.pop_back();
}

// Log-probabilities only fall, so a live beam's best score is its own sum over the longest length
// it may reach (or, where length costs, over the next).
bool BeamSearch::is_decided() const {
  if (live_.empty()) return true;
  if (static_cast<int64_t>(finished_.size()) < options_.beams) return false;
  if (options_.beams == 1) return true;
  const int64_t length = options_.length_penalty > 0 ? options_.max_new_tokens : length_ + 1;
  return score_of(live_.front().log_probability, length, options_.length_penalty) <=
         finished_.back().score;
}

std::vector<Continuation> BeamSearch::step(std::span<const float> log_probabilities,
                                           int64_t vocab) {
  SL_ASSERT(!live_.empty(), "the search is over");
  const std::vector<Candidate> candidates = ranked(log_probabilities, vocab);
  std::vector<Generated> next;
  std::vector<Continuation> continuations;
  for (size_t rank = 0; rank < candidates.size(); ++rank) {
    const Candidate& candidate = candidates[rank];
    Generated grown = live_[candidate.beam];
    grown.log_probability = candidate.log_probability;
    if (is_end(candidate.token)) {
      grown.ended = true;
      if (static_cast<int64_t>(rank) < options_.beams) finish(std::move(grown));
    } else if (static_cast<int64_t>(next.size()) < options_.beams) {
      grown.tokens.push_back(candidate.token);
      next.push_back(std::move(grown));
      continuations.push_back({candidate.beam, candidate.token});
    }
  }
  live_ = std::move(next);
  ++length_;
  const bool decided = is_decided();
  if (!decided && length_ < options_.max_new_tokens) return continuations;
  if (!decided) {
    for (Generated& generated : live_) finish(std::move(generated));
  }
  live_.clear();
  return {};
}

const Generated& BeamSearch::best() const {
  SL_ASSERT(live_.empty() && !finished_.empty(), "the search is not over");
  return finished_.front();
}

}  // namespace sightline
