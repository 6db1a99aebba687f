#pragma once
// Sequences that grow by one token at a time, with the keys and values of all that came before kept
// in a cache. Next-token logits are those of a full forward pass over the whole sequence, whatever
// the mask policy: a policy's blocks end where the answer begins, and answers are causal.
//
// Legend: S sequences, L cached rows at most, T packed prompt rows, D hidden size, H query heads,
// G key/value heads, d head size, V vocabulary.

#include "batch/batch.h"
#include "model/model.h"

#include <cstdint>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

namespace sightline {

class CachedDecoding {
 public:
  // Runs the packed prompts (one document without branches each) through the model in one pass and
  // keeps their keys and values. `room` is the most tokens by which a sequence will grow.
  // `model` and `matrices`, its language model's, must outlive this.
  CachedDecoding(const Model& model, const Matrices& matrices, const Batch& prompts,
                 const at::Tensor& image_rows_IRD, int64_t room);

  int64_t size() const { return static_cast<int64_t>(lengths_.size()); }

  // Log-probabilities of each sequence's next token: fp32 [S, V], contiguous.
  const at::Tensor& log_probabilities() const { return log_probabilities_SV_; }

  // Sequence i becomes what sequence parents[i] was, with tokens[i] behind it. A sequence that is
  // nobody's parent is dropped, one that is several's is copied.
  void advance(std::span<const int64_t> parents, std::span<const int32_t> tokens);

 private:
  struct LayerCache {
    at::Tensor k_SLGd, v_SLGd;
  };
  void keep_only(std::span<const int64_t> parents);
  void predict(const at::Tensor& hidden_SD);

  const Model& model_;
  const Matrices& matrices_;
  int64_t capacity_ = 0;          // L
  std::vector<int64_t> lengths_;  // cached rows of each sequence; also its next position
  std::vector<LayerCache> layers_;
  at::Tensor log_probabilities_SV_;
};

}  // namespace sightline
