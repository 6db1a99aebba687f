#pragma once
// The loss: cross-entropy summed over the supervised predictions, over a divisor that counts those
// of the whole optimizer step (all micro-batches, all ranks). So accumulation, packing and
// branching change nothing but rounding.
//
// Legend: T packed rows, S predictions, D hidden size, V vocabulary.

#include <cstdint>
#include <span>

#include <ATen/core/Tensor.h>

namespace sightline {

struct LossOptions {
  double divisor = 1.0;
  int64_t chunk = 2048;  // predictions projected at a time, fewer where the vocabulary is large
};

// Predictions that go through a head of `vocabulary` rows at a time.
int64_t loss_chunk(int64_t vocabulary, const LossOptions& options);

// Only the rows that predict go through the head [V, D], in chunks; the gradients are made in the
// forward pass, so that no logits are kept. Returns a scalar in fp32 (fp64 for fp64 input).
at::Tensor answer_loss(const at::Tensor& hidden_TD, const at::Tensor& head_VD,
                       std::span<const int32_t> rows_S, std::span<const int32_t> targets_S,
                       const LossOptions& options);

// The definition: all logits at once, ATen's cross-entropy.
at::Tensor plain_answer_loss(const at::Tensor& hidden_TD, const at::Tensor& head_VD,
                             std::span<const int32_t> rows_S, std::span<const int32_t> targets_S,
                             double divisor);

}  // namespace sightline
