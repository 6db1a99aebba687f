#pragma once
// Models, stages and steps on which the plan is held against LibTorch.

#include "base/rng.h"
#include "batch/compose.h"
#include "bundle/bundle.h"
#include "data/loader.h"
#include "tests/tiny_model.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sightline::test {

struct Case {
  std::string what;
  ModelConfig config;
  std::vector<std::string> train;
  int64_t images = 1;  // a sample
  bool checkpoint_activations = false;
  OptimizerKind optimizer = OptimizerKind::adamw;
  MaskPolicy mask = MaskPolicy::image;
  size_t samples = 2;
};

// A step of one micro-batch; each sample has several conversations.
inline LoadedStep step_of(const Case& each, int64_t depth) {
  Rng rng(3);
  std::vector<Sample> samples(each.samples);
  std::vector<const Sample*> pointers;
  const ModelConfig& config = each.config;
  for (Sample& sample : samples) {
    sample.where = "made";
    for (int64_t i = 0; i < each.images; ++i) sample.images.push_back({.path = "made"});
    for (const int answer : {5, 9, 14}) {
      sample.conversations.push_back(tiny_rows(rng, static_cast<int>(each.images),
                                               config.rows_per_image(), 6, answer,
                                               config.language->vocab_size));
    }
    pointers.push_back(&sample);
  }
  LoadedStep step;
  Batch& batch = step.micro_batches.emplace_back(
      compose(pointers, {.policy = each.mask, .rows_per_image = config.rows_per_image()}));
  if (batch.num_images() > 0 && depth == kFromPixels) {
    const int64_t side = config.vision->image_size;
    batch.pixels.assign(static_cast<size_t>(batch.num_images() * 3 * side * side), 0.25f);
  } else if (batch.num_images() > 0) {
    const auto tokens =
        config.vision->num_patches() +
        (depth > config.vision->num_hidden_layers ? 0 : config.vision->class_tokens());
    batch.features.assign(
        static_cast<size_t>(batch.num_images() * tokens * config.vision->hidden_size), 0x3f00);
  }
  step.num_predictions = batch.num_predictions();
  step.progress_after = 0.5;
  return step;
}

inline ModelConfig siglip_qwen2() {
  ModelConfig config;
  config.vision = VisionConfig{.kind = VisionKind::siglip,
                               .hidden_size = 48,
                               .num_hidden_layers = 3,
                               .num_attention_heads = 4,
                               .intermediate_size = 100,
                               .image_size = 50,
                               .patch_size = 14,
                               .layer_norm_eps = 1e-6};
  config.language = LanguageConfig{.kind = LanguageKind::qwen2,
                                   .vocab_size = 300,
                                   .hidden_size = 64,
                                   .num_hidden_layers = 3,
                                   .num_attention_heads = 8,
                                   .num_key_value_heads = 2,
                                   .head_dim = 8,
                                   .intermediate_size = 160};
  config.connector = {.kind = ConnectorKind::mlp, .factor = 1};
  return config;
}

inline std::vector<Case> cases() {
  const ModelConfig vit = tiny_config({.vocab_size = 40});
  const ModelConfig words = tiny_config({.sees = false});
  ModelConfig pool = siglip_qwen2();
  pool.vision->image_size = 56;
  pool.connector = {.kind = ConnectorKind::pool, .factor = 2};
  pool.language->tie_word_embeddings = false;
  const std::vector<std::string> all = {"vision", "connector", "language"};
  return {
      {.what = "vit, all", .config = vit, .train = all},
      {.what = "vit, all, Muon", .config = vit, .train = all, .optimizer = OptimizerKind::muon},
      {.what = "siglip, all, computed anew",
       .config = siglip_qwen2(),
       .train = all,
       .checkpoint_activations = true},
      {.what = "connector alone", .config = siglip_qwen2(), .train = {"connector"}},
      {.what = "upper vision, computed anew",
       .config = siglip_qwen2(),
       .train = {"connector", "vision.layers[2:]", "vision.norm"},
       .checkpoint_activations = true},
      {.what = "upper language", .config = siglip_qwen2(), .train = {"language.layers[1:]"}},
      {.what = "pool, two pictures, prefix",
       .config = pool,
       .train = {"connector", "language"},
       .images = 2,
       .mask = MaskPolicy::prefix},
      {.what = "pool alone", .config = pool, .train = {"connector"}},
      {.what = "words alone", .config = words, .train = {"language"}, .images = 0},
  };
}

inline StageRecipe stage_of(const Case& each) {
  StageRecipe stage{.name = "one", .train = each.train};
  stage.checkpoint_activations = each.checkpoint_activations;
  stage.optimizer = each.optimizer;
  return stage;
}

inline Bundle bundle_of(const Case& each, at::ScalarType dtype = at::kFloat) {
  ParamMap params;
  for (const auto& [name, shape] : parameter_shapes(each.config)) {
    params.add(name, random_parameter(name, shape, 1).to(dtype));
  }
  Bundle bundle;
  bundle.model = std::make_unique<Model>(each.config, std::move(params));
  return bundle;
}

}  // namespace sightline::test
