#pragma once
// Where a model looked as it answered: one pass over prompt and answer, with every layer's
// attention written out beside the attention that is computed by.
//
// Token t of an answer is chosen from the row before it, so that row's attention is the token's.
//
// Legend: L layers, A tokens of the answer, R rows of the prompt's pictures.

#include "generate/generator.h"

#include <cstdint>
#include <span>
#include <vector>

namespace sightline {

struct AttentionRecord {
  int64_t layers = 0, tokens = 0, rows = 0;
  // Means over the heads: [layer][token][row]. What is missing to 1 lies on words.
  std::vector<float> on_rows_LAR;
  std::vector<float> log_probabilities_A;  // of the answer's tokens, by this pass
  // The largest difference between weights times values and what the layers got, over the largest
  // number that they got: rounding, or the weights are not the model's.
  double difference = 0;

  float at(int64_t layer, int64_t token, int64_t row) const {
    return on_rows_LAR.at(static_cast<size_t>((layer * tokens + token) * rows + row));
  }
};

// `answer` is without its end token. At most max_position_embeddings rows in all, as the generator
// keeps to.
AttentionRecord record_attention(const Model& model, MaskPolicy policy, const Prompt& prompt,
                                 std::span<const int32_t> answer);

}  // namespace sightline
