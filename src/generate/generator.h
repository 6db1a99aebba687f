#pragma once
// Prompts -> answers: one pass over the packed prompts, then a search a prompt (search.h) over a
// cache of keys and values, all prompts together. A prompt whose search is over leaves the batch.
//
// What is drawn depends on the seed and on the prompt's tokens and pixels, and not on the prompts
// beside it: the same answers in batches of any size, but for what rounding does. A product over
// another number of rows may differ in its last bits, and a draw changes only where its two best
// sums lie as near as that. TinyStories-656K, batches of 64 against single prompts: no token of
// 15,176 in fp32, one in 145 in bf16, whose bits are fewer.

#include "batch/sample.h"
#include "bundle/bundle.h"
#include "generate/cached_decoding.h"
#include "generate/search.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
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
  // `bundle` must outlive this, and its weights stay as they are: decoding keeps them in forms of
  // its own too (decoding_model.h). A model without a language part is an Error.
  explicit Generator(const Bundle& bundle);
  // The parts that generating needs, for a model without words (and so without stop strings).
  Generator(const Model& model, MaskPolicy policy, std::span<const int32_t> end_ids);

  // The answers to each prompt, in order, the best first (Search::answers). All prompts are decoded
  // together: the caller cuts long lists. A prompt that leaves no room before
  // max_position_embeddings is an Error; where it leaves less than max_new_tokens, generation stops
  // there.
  std::vector<std::vector<Generated>> answers(std::span<const Prompt> prompts,
                                              const DecodingRecipe& decoding) const;
  // The best one of each.
  std::vector<Generated> generate(std::span<const Prompt> prompts,
                                  const DecodingRecipe& decoding) const;

  // The prompts' rows, cached: what generate() starts from. Of `decoding` the weights and the most
  // tokens count.
  CachedDecoding start(std::span<const Prompt> prompts, const DecodingRecipe& decoding) const;

 private:
  at::Tensor image_rows(std::span<const Prompt> prompts, const DecodingModel& by) const;
  Endings endings(const DecodingRecipe& decoding) const;

  const Model& model_;
  MaskPolicy policy_;
  std::vector<int32_t> end_ids_;
  std::map<DecodingWeights, std::unique_ptr<const DecodingModel>> models_;  // one a kind
  std::optional<Tokenizer> tokenizer_;                                      // for stop strings
};

}  // namespace sightline
