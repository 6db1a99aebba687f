#pragma once
// Beam search for one prompt, as plain numbers: log-probabilities in, the next tokens out.
//
// B beams are live. At each step every live beam is continued by every token, and the continuations
// are ranked by their total: the sum of the log-probabilities as the rules leave them
// (logits_rules.h). Of the first B, those that end (an end token, or one that completes a stop
// string) go to a finished list, of which the B best by
//     score = total / length^length_penalty        (length counts the end token)
// are kept; the best B that do not end live on. The search stops when B finished ones are kept and
// no live beam can still beat the worst of them, or at the most tokens allowed, where live beams
// count as finished without having ended. With one beam this is greedy search: the first end token
// that ranks first is the end.
// Source: transformers' beam search (generation/utils.py, early_stopping = "never"); it differs in
// the bound, which is exact here for any length penalty.
//
// Equal continuations are ranked by lower token id, then by the earlier beam: same input, same
// result.

#include "generate/search.h"

#include <cstdint>
#include <span>
#include <vector>

namespace sightline {

class BeamSearch {
 public:
  // Of `decoding` the beams, the bounds and the penalties count. `endings` must outlive this.
  BeamSearch(const DecodingRecipe& decoding, const Endings& endings);

  // Live beams: 1 before the first step, then at most `beams`; 0 when the search is over.
  int64_t num_live() const { return static_cast<int64_t>(live_.size()); }

  // log_probabilities holds one row of `vocab` for each live beam. Returns the new live beams, none
  // when the search is over. `chosen_before` are tokens that cost the recipe's `diversity` each. An
  // Error if the numbers are not numbers.
  std::vector<Continuation> step(std::span<const float> log_probabilities, int64_t vocab,
                                 std::span<const int32_t> chosen_before = {});

  // With what the beams that had not ended went on at the last step, the search's last one too.
  const std::vector<int32_t>& chosen() const { return chosen_; }

  // At least one and at most `beams`, the best score first; the search must be over.
  const std::vector<Generated>& finished() const;
  const Generated& best() const { return finished().front(); }

 private:
  struct Rows {  // one a live beam
    std::span<const float> values;
    int64_t vocab = 0;
    std::span<const float> at(int64_t beam) const { return values.subspan(beam * vocab, vocab); }
  };
  struct Beam {
    Generated generated;
    double total = 0.0;
  };
  struct Candidate {
    double total = 0.0;
    int32_t token = 0;
    int64_t beam = 0;
    bool operator<(const Candidate& other) const;  // true: this one ranks first
  };
  struct NextBeams {
    std::vector<Beam> live, ended;
    std::vector<Continuation> continuations;  // of `live`
  };
  std::vector<float> ruled_values(const Rows& own, std::span<const int32_t> chosen_before) const;
  std::vector<Candidate> ranked(const Rows& rows, size_t count) const;
  Beam grown(const Candidate& candidate, float log_probability) const;
  NextBeams next_beams(const std::vector<Candidate>& candidates, const Rows& own) const;
  std::vector<Continuation> advance(NextBeams next);
  void finish(Beam beam);
  bool is_decided() const;

  DecodingRecipe decoding_;
  const Endings* endings_;
  std::vector<Beam> live_;           // best first
  std::vector<Generated> finished_;  // best first, at most `beams`
  std::vector<int32_t> chosen_;
  int64_t length_ = 0;  // tokens of every live beam
};

}  // namespace sightline
