#pragma once
// The next token of few sequences, without LibTorch: one row of each goes through all layers in one
// region of threads that share every product, norm and head between them and meet at barriers.
// What it costs is reading the weights once; LibTorch's operations, each started and divided
// anew, cost as much again.
//
// Rows stay in fp32 from the embedding to the logits; keys and values take the cache's numbers.
// Decoder::forward over the same cache is the definition: with fp32 weights they differ by
// rounding, with bf16 weights by what the definition rounds to bf16 between its operations.
//
// Legend: S sequences, V vocabulary.

#include "generate/kv_cache.h"
#include "generate/step_weights.h"

#include <cstdint>
#include <span>

#include <ATen/core/Tensor.h>

namespace sightline {

class StepDecoder {
 public:
  // More rows than this are quicker through products that AMX takes (model/packed_matrices.h).
  static constexpr int64_t kMostRows = 16;

  // `weights` must outlive this.
  StepDecoder(const LanguageConfig& config, const StepWeights& weights);

  // tokens[s] goes behind sequence s of the cache, at its next position. Returns logits, fp32
  // [S, V]. At most kMostRows sequences.
  at::Tensor step(std::span<const int32_t> tokens, KvCache& cache) const;

 private:
  const LanguageConfig config_;
  const StepWeights& weights_;
  const int64_t bytes_;  // of the weights
};

}  // namespace sightline
