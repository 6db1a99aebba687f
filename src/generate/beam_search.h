#pragma once
// Beam search for one prompt, as plain numbers: log-probabilities in, the next tokens out.
//
// B beams are live. At each step every live beam is continued by every token, and the continuations
// are ranked by their total log-probability. Of the first B, those that end (an end token) go to a
// finished list, of which the B best by
//     score = log_probability / length^length_penalty        (length counts the end token)
// are kept; the best B that do not end live on. The search stops when B finished ones are kept and
// no live beam can still beat the worst of them, or at the most tokens allowed, where live beams
// count as finished without having ended. With one beam this is greedy search: the first end token
// that ranks first is the end.
// Source: transformers' beam search (generation/utils.py, early_stopping = "never"); it differs in
// the bound, which is exact here for any length penalty.
//
// Equal continuations are ranked by lower token id, then by the earlier beam: same input, same
// result.

#include <cstdint>
#include <span>
#include <vector>

namespace sightline {

struct DecodingOptions {
  int64_t beams = 1;            // 1: greedy
  int64_t max_new_tokens = 32;  // the end token counts
  double length_penalty = 1.0;  // above 0 favours long answers, below 0 short ones
};

struct Generated {
  std::vector<int32_t> tokens;   // without the end token
  double log_probability = 0.0;  // summed over the tokens, the end token included
  bool ended = false;            // by an end token, and not for want of room
  double score = 0.0;            // log_probability / length^length_penalty
};

// A live beam's next token: beam `parent` of the last step goes on with `token`.
struct Continuation {
  int64_t parent = 0;
  int32_t token = 0;
};

class BeamSearch {
 public:
  BeamSearch(const DecodingOptions& options, std::span<const int32_t> end_ids);

  // Live beams: 1 before the first step, then at most `beams`; 0 when the search is over.
  int64_t num_live() const { return static_cast<int64_t>(live_.size()); }

  // log_probabilities holds one row of `vocab` for each live beam. Returns the new live beams, none
  // when the search is over. An Error if the numbers are not numbers.
  std::vector<Continuation> step(std::span<const float> log_probabilities, int64_t vocab);

  // The finished one with the best score; the search must be over.
  const Generated& best() const;

 private:
  struct Candidate {
    double log_probability = 0.0;
    int32_t token = 0;
    int64_t beam = 0;
    bool operator<(const Candidate& other) const;  // true: this one ranks first
  };
  std::vector<Candidate> ranked(std::span<const float> log_probabilities, int64_t vocab) const;
  bool is_end(int32_t token) const;
  void finish(Generated generated);
  bool is_decided() const;

  DecodingOptions options_;
  std::vector<int32_t> end_ids_;
  std::vector<Generated> live_;      // best first
  std::vector<Generated> finished_;  // best first, at most `beams`
  int64_t length_ = 0;               // tokens of every live beam
};

}  // namespace sightline
