#pragma once
// Answers drawn at random, each token from the model's distribution as the rules leave it
// (logits_rules.h).
//
// A draw is the Gumbel maximum: of log-probability + noise, the noise Gumbel's, the largest has its
// token drawn with its probability (Gumbel 1954). Noise comes from (stream, answer, step, token)
// alone, so an answer depends neither on the others nor on what else is decoded beside it, and
// rounding in the log-probabilities changes a word only where the two best sums lie that near.
//
// Score: log_probability / length^length_penalty.

#include "base/rng.h"
#include "generate/search.h"

#include <cstdint>
#include <span>
#include <vector>

namespace sightline {

// A token with the probability that its row gives it, which need not be normalised; -1 where no
// token has any. Token t's noise is the t-th number of the stream.
int32_t draw(std::span<const float> log_weights, uint64_t stream);

class Sampler : public Search {
 public:
  // `temperature` must be above 0. Both references must outlive this.
  Sampler(const DecodingRecipe& decoding, const Endings& endings, uint64_t stream);

  std::vector<Continuation> step(std::span<const float> log_probabilities, int64_t vocab) override;
  std::vector<Generated> answers() const override;

 private:
  struct Path {
    Generated generated;
    uint64_t stream = 0;
    bool over = false;
  };
  void grow(Path& path, std::span<const float> row);
  int32_t next_token(const Path& path, std::span<const float> row);

  const DecodingRecipe& decoding_;
  const Endings& endings_;
  std::vector<Path> paths_;
  std::vector<float> ruled_;  // a row under the rules
};

}  // namespace sightline
