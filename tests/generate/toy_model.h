#pragma once
// A small model with random weights, large enough that its next tokens differ clearly, and prompts
// of words and pictures for it.

#include "base/rng.h"
#include "batch/compose.h"
#include "generate/generator.h"
#include "model/model.h"

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

namespace sightline::test {

inline ModelConfig toy_config(int64_t vocab_size) {
  ModelConfig config;
  config.vision = VisionConfig{.hidden_size = 12,
                               .num_hidden_layers = 1,
                               .num_attention_heads = 2,
                               .intermediate_size = 16,
                               .image_size = 8,
                               .patch_size = 4};
  config.connector = {ConnectorKind::mlp, 1};
  config.language = LanguageConfig{.vocab_size = vocab_size,
                                   .hidden_size = 16,
                                   .num_hidden_layers = 2,
                                   .num_attention_heads = 4,
                                   .num_key_value_heads = 2,
                                   .head_dim = 4,
                                   .intermediate_size = 24,
                                   .max_position_embeddings = 64};
  return config;
}

inline Model toy_model(int64_t vocab_size, at::ScalarType dtype = at::kFloat, uint64_t seed = 1) {
  const ModelConfig config = toy_config(vocab_size);
  ParamMap params;
  for (const auto& [name, shape] : parameter_shapes(config)) {
    at::Tensor value = random_parameter(name, shape, seed);
    if (shape.size() > 1) value.mul_(name.starts_with("language.") ? 15.0 : 3.0);
    params.add(name, value.to(dtype));
  }
  return Model(config, std::move(params));
}

inline void append(Rows& rows, int32_t token, RowKind kind) {
  rows.tokens.push_back(token);
  rows.kinds.push_back(kind);
  rows.supervised.push_back(0);
}

// `words` random tokens, then a picture and a word for each of `images`.
inline Prompt toy_prompt(const Model& model, Rng& rng, int64_t words, int64_t images) {
  const auto vocab = static_cast<uint64_t>(model.config().language->vocab_size);
  const int64_t side = model.config().vision->image_size;
  Prompt prompt{.where = "toy"};
  const auto word = [&] {
    append(prompt.rows, static_cast<int32_t>(rng.below(vocab)), RowKind::user);
  };
  for (int64_t i = 0; i < words; ++i) word();
  for (int64_t i = 0; i < images; ++i) {
    for (int64_t row = 0; row < model.config().rows_per_image(); ++row) {
      append(prompt.rows, kImageRow, RowKind::image);
    }
    word();
  }
  if (images > 0) {
    prompt.pixels_ICHW = at::empty({images, 3, side, side}, at::kFloat);
    float* values = prompt.pixels_ICHW.mutable_data_ptr<float>();
    for (int64_t i = 0; i < prompt.pixels_ICHW.numel(); ++i) {
      values[i] = static_cast<float>(rng.normal());
    }
  }
  return prompt;
}

// Prompts of several lengths: text alone, one picture, several.
inline std::vector<Prompt> toy_prompts(const Model& model, uint64_t seed) {
  Rng rng(seed);
  std::vector<Prompt> prompts;
  for (const auto& [words, images] :
       std::vector<std::pair<int, int>>{{3, 0}, {1, 1}, {0, 1}, {2, 3}, {7, 0}, {4, 2}}) {
    prompts.push_back(toy_prompt(model, rng, words, images));
  }
  return prompts;
}

}  // namespace sightline::test
