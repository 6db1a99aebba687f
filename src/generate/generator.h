#pragma once
// Prompts -> answers: one pass over the packed prompts, then greedy or beam search over a cache of
// keys and values, all prompts together. A prompt whose search is over leaves the batch.

#include "batch/sample.h"
#include "bundle/bundle.h"
#include "generate/beam_search.h"
#include "generate/cached_decoding.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

namespace sightline {

struct Prompt {
  Rows rows;  // of SampleEncoder::encode_prompt: nothing is supervised, an answer is awaited
  // Normalised pixels [I, 3, h, w] of the pictures in the order of their rows, in any floating
  // type; undefined where there is none.
  at::Tensor pixels_ICHW;
  std::string where;  // names the prompt in errors
};

class Generator {
 public:
  // `bundle` must outlive this. A model without a language part is an Error.
  explicit Generator(const Bundle& bundle);
  // The parts that generating needs, for a model without words.
  Generator(const Model& model, MaskPolicy policy, std::span<const int32_t> end_ids);

  // One answer a prompt, in order. All prompts are decoded together: the caller cuts long lists.
  // A prompt that leaves no room before max_position_embeddings is an Error; where it leaves less
  // than max_new_tokens, generation stops there.
  std::vector<Generated> generate(std::span<const Prompt> prompts,
                                  const DecodingOptions& options) const;

  // Packed prompts, decoded: what generate() starts from.
  CachedDecoding start(std::span<const Prompt> prompts, int64_t max_new_tokens) const;

 private:
  at::Tensor image_rows(std::span<const Prompt> prompts) const;

  const Model& model_;
  MaskPolicy policy_;
  std::vector<int32_t> end_ids_;
};

}  // namespace sightline
