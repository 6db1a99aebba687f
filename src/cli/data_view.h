#pragma once
// Samples as the model learns from them: each token, whether it is learnt, and the pictures.

#include "base/json.h"
#include "data/dataset.h"
#include "sample/encoder.h"
#include "text/tokenizer.h"

#include <cstdint>
#include <string>
#include <vector>

namespace sightline {

struct TokenView {
  int32_t id = kImageRow;
  RowKind kind = RowKind::image;
  bool is_learnt = false;  // the model is to predict it: supervised, and not the first
  std::string text;        // "" of an image's row
};

struct PictureView {
  std::string name;
  int width = 0, height = 0;  // pixels, as decoded
};

struct SampleView {
  std::string where;
  std::string problem;  // not empty: a bad sample, and nothing else is told of it
  std::vector<PictureView> pictures;
  std::vector<std::vector<TokenView>> conversations;
  int64_t rows_per_image = 0;
};

// What reads a table's words.
struct Reading {
  const SampleEncoder& encoder;
  const Tokenizer& tokenizer;
  int64_t rows_per_image = 0;
};

// Decodes the sample's pictures. What is wrong with it becomes its `problem`.
SampleView view_of(const Dataset& dataset, size_t number, const Reading& reading);

// Counts over the first samples of a table; pictures are not opened.
struct TableView {
  int64_t samples = 0;  // that were looked at
  int64_t bad = 0;      // of them; nothing below counts these
  int64_t conversations = 0, pictures = 0, rows = 0, learnt = 0;
  std::vector<int64_t> lengths;  // rows of each conversation
};
TableView count_samples(const Dataset& dataset, size_t most, const Reading& reading);

// A conversation is a line for each span of one kind: "+" where it is learnt, tokens with "|"
// between them.
std::string sample_text(const SampleView& sample);
Json to_json(const SampleView& sample);

}  // namespace sightline
