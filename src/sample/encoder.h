#pragma once
// Examples -> tokens. The one place where turns and pictures become rows: training, evaluation and
// `caption`/`ask` all come through here, so that they cannot disagree.

#include "batch/sample.h"
#include "sample/example.h"
#include "text/prompt.h"
#include "text/tokenizer.h"

#include <cstdint>
#include <span>

namespace sightline {

class SampleEncoder {
 public:
  // Both references must outlive the encoder. `rows_per_image` is 0 for a model of text alone, to
  // which an example with an image is an Error naming the example.
  SampleEncoder(const PromptTemplate& prompt_template, int64_t rows_per_image);

  // Every conversation whole, the assistant's words and end token supervised. An example without a
  // supervised token, or with images that no turn shows, is an Error naming the example.
  Sample encode(const Example& example) const;

  // Up to where the assistant is to speak, awaiting its answer; nothing supervised. For generation.
  Rows encode_prompt(std::span<const Turn> turns) const;

 private:
  Rows rows_of(std::span<const Piece> pieces) const;

  const PromptTemplate& template_;
  int64_t rows_per_image_;
};

}  // namespace sightline
