// Operations that the plan counts against those that LibTorch carries out, by an observer of its
// products; and what a whole recipe's plan adds up to.

#include "plan/flops.h"

// LibTorch is built so, and its RecordFunction has another member otherwise.
#ifndef NDEBUG
#define NDEBUG
#endif

#include "base/rng.h"
#include "batch/compose.h"
#include "tests/tiny_model.h"
#include "train/stage_trainer.h"

#include <atomic>
#include <string>
#include <vector>

#include <ATen/record_function.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

std::atomic<int64_t> counted = 0;

int64_t product(const at::Tensor& a, const at::Tensor& b) { return 2 * a.numel() * b.size(-1); }

// 2 x multiply-adds of LibTorch's products, by the shapes that go in.
int64_t operations(std::string_view name, c10::ArrayRef<const c10::IValue> inputs) {
  const auto tensor = [&](size_t i) { return inputs.at(i).toTensor(); };
  if (name == "aten::mm" || name == "aten::bmm") return product(tensor(0), tensor(1));
  if (name == "aten::addmm" || name == "aten::baddbmm" || name == "aten::baddbmm_") {
    return product(tensor(1), tensor(2));
  }
  if (name == "aten::convolution") {  // patches: what is left of the pixels, times the outputs
    const at::Tensor x = tensor(0), weight = tensor(1);
    const int64_t patches = (x.size(2) / weight.size(2)) * (x.size(3) / weight.size(3)) * x.size(0);
    return 2 * patches * weight.numel();
  }
  if (name == "aten::convolution_backward") {  // the weights' alone: pixels need none
    const at::Tensor gradient = tensor(0), weight = tensor(2);
    return 2 * gradient.size(0) * gradient.size(2) * gradient.size(3) * weight.numel();
  }
  const bool attention = name == "aten::_scaled_dot_product_flash_attention_for_cpu";
  if (attention) return 4 * tensor(0).numel() * tensor(1).size(2);
  // Scores again, and the gradients of values, weights, queries and keys: five products.
  if (name == "aten::_scaled_dot_product_flash_attention_for_cpu_backward") {
    return 10 * tensor(1).numel() * tensor(2).size(2);
  }
  return 0;
}

class Observer {
 public:
  Observer() {
    counted = 0;
    handle_ = at::addGlobalCallback(
        at::RecordFunctionCallback(
            [](const at::RecordFunction& call) -> std::unique_ptr<at::ObserverContext> {
              counted += operations(call.name(), call.inputs());
              return nullptr;
            })
            .needsInputs(true)
            .scopes({at::RecordScope::FUNCTION}));
  }
  ~Observer() { at::removeCallback(handle_); }
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;
  double count() const { return static_cast<double>(counted); }

 private:
  at::CallbackHandle handle_;
};

struct Case {
  std::string what;
  ModelConfig config;
  std::vector<std::string> train;
  int64_t images = 1;
  bool checkpoint_activations = false;
  OptimizerKind optimizer = OptimizerKind::adamw;
  MaskPolicy mask = MaskPolicy::image;
};

// A step of two samples with several conversations each.
LoadedStep step_of(const Case& each, int64_t depth) {
  Rng rng(3);
  std::vector<Sample> samples(2);
  std::vector<const Sample*> pointers;
  const ModelConfig& config = each.config;
  for (Sample& sample : samples) {
    sample.where = "made";
    for (int64_t i = 0; i < each.images; ++i) sample.images.push_back({.path = "made"});
    for (const int answer : {5, 9, 14}) {
      sample.conversations.push_back(test::tiny_rows(rng, static_cast<int>(each.images),
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

ModelConfig siglip_qwen2() {
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

std::vector<Case> cases() {
  const ModelConfig vit = test::tiny_config({.vocab_size = 40});
  const ModelConfig words = test::tiny_config({.sees = false});
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

TEST(Flops, AreThoseThatLibTorchCarriesOut) {
  for (const Case& each : cases()) {
    StageRecipe stage{.name = "one", .train = each.train};
    stage.checkpoint_activations = each.checkpoint_activations;
    stage.optimizer = each.optimizer;
    Bundle bundle;
    ParamMap params;
    for (const auto& [name, shape] : parameter_shapes(each.config)) {
      params.add(name, random_parameter(name, shape, 1));
    }
    bundle.model = std::make_unique<Model>(each.config, std::move(params));
    const Trainable trains = trainable_of(stage, each.config);
    int64_t depth = each.config.vision ? trains.lowest_vision_layer() : 0;
    if (depth == 0) depth = kFromPixels;
    const LoadedStep step = step_of(each, depth);
    const FlopCounter counter(each.config, stage, depth);
    const Flops planned = counter.of(work_of(step.micro_batches.front()));

    StageTrainer trainer(bundle, stage, {.depth = depth});
    double forward = 0, all = 0;
    {
      const Observer observer;
      batch_loss(*bundle.model, step.micro_batches.front(), depth, 1.0);
      forward = observer.count();
    }
    {
      const Observer observer;
      trainer.step(step, 0);
      all = observer.count();
    }
    // The loss's forward pass makes its gradients too.
    const double head = 2.0 * static_cast<double>(step.micro_batches.front().num_predictions() *
                                                  each.config.language->hidden_size *
                                                  each.config.language->vocab_size);
    const bool trains_head =
        trains(each.config.language->tie_word_embeddings ? "language.model.embed_tokens.weight"
                                                         : "language.lm_head.weight");
    EXPECT_NEAR((planned.forward + head * (trains_head ? 2 : 1)) / forward, 1.0, 0.02) << each.what;
    EXPECT_NEAR((planned.total() + counter.optimizer_step()) / all, 1.0, 0.02) << each.what;
    printf("%-28s forward %.4f, step %.4f of the operator count\n", each.what.c_str(),
           (planned.forward + head * (trains_head ? 2 : 1)) / forward,
           (planned.total() + counter.optimizer_step()) / all);
  }
}

}  // namespace
}  // namespace sightline
