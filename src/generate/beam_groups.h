#pragma once
// The likeliest answers of a prompt: greedy search (one beam), beam search, or diverse beam search
// (Vijayakumar et al. 2016, arXiv 1610.02424, with Hamming diversity).
//
// Diverse: the beams fall into groups of equal size, each a beam search of its own from the prompt
// on. At every step the groups go in order, and a token costs a group `diversity` for every time
// that an earlier group chose it at this step. As in transformers' group beam search, the cost
// counts in the beam's total, and so in its score.

#include "generate/beam_search.h"
#include "generate/search.h"

#include <span>
#include <vector>

namespace sightline {

class BeamGroups : public Search {
 public:
  // Groups must divide the beams. `endings` must outlive this.
  BeamGroups(const DecodingRecipe& decoding, const Endings& endings);

  std::vector<Continuation> step(std::span<const float> log_probabilities, int64_t vocab) override;
  std::vector<Generated> answers() const override;

 private:
  int64_t num_answers_;
  std::vector<BeamSearch> groups_;
  bool is_first_step_ = true;
};

}  // namespace sightline
