#pragma once
// Sequences that grow by one token at a time, with the keys and values of all that came before kept
// in a cache. Next-token logits are those of a full forward pass over the whole sequence, whatever
// the mask policy: a policy's blocks end where the answer begins, and answers are causal.
//
// Legend: S sequences, T packed prompt rows, D hidden size, V vocabulary.

#include "batch/batch.h"
#include "generate/decoding_model.h"
#include "generate/kv_cache.h"

#include <cstdint>
#include <span>

#include <ATen/core/Tensor.h>

namespace sightline {

class CachedDecoding {
 public:
  // No sequence yet. `room` is how many rows there will be in all, about. `model` must outlive
  // this.
  CachedDecoding(const DecodingModel& model, int64_t room);

  // Runs packed prompts (one document without branches each) through the model in one pass, keeps
  // their keys and values, and puts a sequence for each behind those that are there.
  void add(const Batch& prompts, const at::Tensor& image_rows_IRD);

  int64_t size() const { return cache_.sequences(); }

  // Log-probabilities of each sequence's next token: fp32 [S, V], contiguous, on the CPU.
  const at::Tensor& log_probabilities() const { return log_probabilities_SV_; }

  // Sequence i becomes what sequence parents[i] was, with tokens[i] behind it. A sequence that is
  // nobody's parent is dropped, one that is several's goes on several times.
  void advance(std::span<const int64_t> parents, std::span<const int32_t> tokens);

 private:
  // Final rows of the new tokens, by LibTorch's operations: any number of sequences.
  at::Tensor advanced_SD(std::span<const int32_t> tokens);
  at::Tensor log_probabilities_of(const at::Tensor& logits_SV) const;

  const DecodingModel& model_;
  at::Device device_;
  DecodingModel::LentSteps device_steps_;  // null on the CPU, and where the device has no such
  KvCache cache_;
  at::Tensor log_probabilities_SV_;
};

}  // namespace sightline
