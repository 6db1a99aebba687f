#pragma once
// A model small enough for exhaustive tests, with random weights large enough to matter.

#include "base/rng.h"
#include "model/model.h"

#include <memory>
#include <string>

#include <ATen/TensorOperators.h>

namespace sightline::test {

struct TinyOptions {
  at::ScalarType dtype = at::kFloat;
  uint64_t seed = 1;
  bool sees = true;
  int64_t vocab_size = 40;
};

inline ModelConfig tiny_config(const TinyOptions& options) {
  ModelConfig config;
  if (options.sees) {
    config.vision = VisionConfig{.hidden_size = 12,
                                 .num_hidden_layers = 2,
                                 .num_attention_heads = 2,
                                 .intermediate_size = 16,
                                 .image_size = 16,
                                 .patch_size = 4,
                                 .layer_norm_eps = 1e-6};
    config.connector = {.kind = ConnectorKind::shuffle, .factor = 2};
  }
  config.language = LanguageConfig{.vocab_size = options.vocab_size,
                                   .hidden_size = 16,
                                   .num_hidden_layers = 2,
                                   .num_attention_heads = 4,
                                   .num_key_value_heads = 2,
                                   .head_dim = 4,
                                   .intermediate_size = 24};
  return config;
}

inline std::unique_ptr<Model> tiny_model(const TinyOptions& options = {}) {
  const ModelConfig config = tiny_config(options);
  ParamMap params;
  for (const auto& [name, shape] : parameter_shapes(config)) {
    at::Tensor value = random_parameter(name, shape, options.seed);
    if (shape.size() >= 2) value = value * 8;  // 0.02 would make every output alike
    params.add(name, value.to(options.dtype));
  }
  return std::make_unique<Model>(config, std::move(params));
}

// A conversation of `images` pictures, some user words and an answer; `rng` chooses the tokens.
inline Rows tiny_rows(Rng& rng, int images, int64_t rows_per_image, int user, int answer,
                      int64_t vocab_size = 40) {
  Rows rows;
  const auto put = [&](int32_t token, RowKind kind, uint8_t supervised) {
    rows.tokens.push_back(token);
    rows.kinds.push_back(kind);
    rows.supervised.push_back(supervised);
  };
  const auto word = [&] {
    return static_cast<int32_t>(rng.below(static_cast<uint64_t>(vocab_size)));
  };
  put(1, RowKind::user, 0);
  for (int64_t i = 0; i < images * rows_per_image; ++i) put(kImageRow, RowKind::image, 0);
  put(2, RowKind::user, 0);
  for (int i = 0; i < user; ++i) put(word(), RowKind::user, 0);
  for (int i = 0; i < answer; ++i) put(word(), RowKind::assistant, 1);
  return rows;
}

}  // namespace sightline::test
