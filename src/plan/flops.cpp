#include "plan/flops.h"

#include "recipe/trainable.h"
#include "tensor/attention.h"
#include "train/hidden_matrix.h"
#include "train/oriented_gradients.h"
#include "train/stage_trainer.h"

#include <algorithm>

namespace sightline {

namespace {

double number(int64_t value) { return static_cast<double>(value); }

// Products of a vision layer's matrices for one row; and of its attention for one image.
double vision_layer_products(const VisionConfig& c) {
  return 2.0 * (4 * number(c.hidden_size * c.hidden_size) +
                2 * number(c.hidden_size * c.intermediate_size));
}

double vision_tokens(const VisionConfig& c) { return number(c.num_patches() + c.class_tokens()); }

double vision_attention(const VisionConfig& c) {
  return 4.0 * vision_tokens(c) * vision_tokens(c) * number(c.hidden_size);
}

double patch_products(const VisionConfig& c) {
  return 2.0 * number(c.num_patches() * c.hidden_size * 3 * c.patch_size * c.patch_size);
}

double language_layer_products(const LanguageConfig& c) {
  const int64_t queries = c.num_attention_heads * c.head_dim;
  const int64_t keys = c.num_key_value_heads * c.head_dim;
  return 2.0 * number(c.hidden_size) * number(2 * queries + 2 * keys + 3 * c.intermediate_size);
}

}  // namespace

Flops& Flops::operator+=(const Flops& other) {
  forward += other.forward;
  input_gradients += other.input_gradients;
  weight_gradients += other.weight_gradients;
  recomputed += other.recomputed;
  return *this;
}

Flops Flops::scaled(double factor) const {
  return {forward * factor, input_gradients * factor, weight_gradients * factor,
          recomputed * factor};
}

BatchWork work_of(const Batch& batch) {
  BatchWork work{
      .rows = batch.rows(), .images = batch.num_images(), .predictions = batch.num_predictions()};
  if (batch.rows() == 0) return work;
  const AttentionTables tables = lower_plan(batch.plan);
  work.scores = tables.padded_scores;
  work.gathered_keys = tables.gathered_keys;
  for (const AttentionTables::Group& group : tables.lowered->groups) {
    work.group_scores = std::max(work.group_scores, group.runs * group.queries * group.keys);
  }
  return work;
}

// Walks the model from below. `flows` says whether the hidden states reached need gradients.
struct FlopCounter::Pass {
  Flops flops;
  bool flows = false;

  void products(double forward, bool weights_train) {
    flops.forward += forward;
    if (flows) flops.input_gradients += forward;
    if (weights_train) flops.weight_gradients += forward;
  }
};

FlopCounter::FlopCounter(const ModelConfig& config, const StageRecipe& stage, int64_t depth)
    : config_(config), stage_(stage), trained_(trained_layers(config, stage)), depth_(depth) {}

// A layer that trains has a norm that trains before each product, so that gradients flow to the
// products' inputs.
void FlopCounter::count_vision(Pass& pass, const BatchWork& work) const {
  const VisionConfig& c = *config_.vision;
  const double images = number(work.images);
  if (depth_ == kFromPixels) {
    pass.products(images * patch_products(c),
                  trained_.vision_embeddings);  // pixels need no gradient
    pass.flows = trained_.vision_embeddings || stage_.objective == Objective::reconstruct;
  }
  for (int64_t i = std::max<int64_t>(0, depth_); i < c.num_hidden_layers; ++i) {
    const bool layer = trained_.vision.contains(i);
    pass.flows = pass.flows || layer;
    const double attention = images * vision_attention(c);
    const double products = images * vision_tokens(c) * vision_layer_products(c);
    pass.products(products, layer);
    pass.flops.forward += attention;
    if (!pass.flows) continue;
    pass.flops.input_gradients += 2 * attention;
    pass.flops.recomputed += attention / 2;  // LibTorch's attention makes the scores again
    if (stage_.checkpoint_activations) pass.flops.recomputed += products + attention;
  }
  pass.flows = pass.flows || trained_.vision_norm;
}

// Each matrix meets every row that an image takes; the first sees what the vision model gives.
void FlopCounter::count_connector(Pass& pass, const BatchWork& work) const {
  const double rows = number(work.images * config_.rows_per_image());
  const NamedShapes shapes = connector_parameters(config_.connector, config_.vision->hidden_size,
                                                  config_.language->hidden_size);
  const bool trains = trained_.connector;
  const bool norm_first = std::ranges::any_of(
      shapes, [](const auto& entry) { return entry.first.find("norm") != std::string::npos; });
  pass.flows = pass.flows || (trains && norm_first);
  for (const auto& [name, shape] : shapes) {
    if (shape.size() != 2) continue;
    pass.products(2.0 * rows * number(shape[0] * shape[1]), trains);
    pass.flows = pass.flows || trains;
  }
}

void FlopCounter::count_language(Pass& pass, const BatchWork& work) const {
  const LanguageConfig& c = *config_.language;
  const double rows = number(work.rows);
  pass.flows = pass.flows || trained_.words;
  for (int64_t i = 0; i < c.num_hidden_layers; ++i) {
    const bool layer = trained_.language.contains(i);
    pass.flows = pass.flows || layer;
    const double attention = 4.0 * number(work.scores * c.num_attention_heads * c.head_dim);
    const double products = rows * language_layer_products(c);
    pass.products(products, layer);
    pass.flops.forward += attention;
    if (!pass.flows) continue;
    pass.flops.input_gradients += 2 * attention;
    if (stage_.checkpoint_activations) pass.flops.recomputed += products + attention;
  }
  // The loss makes its hidden states' gradients in the forward pass, wanted or not.
  const double head = 2.0 * number(work.predictions * c.hidden_size * c.vocab_size);
  pass.flops.forward += head;
  pass.flops.input_gradients += head;
  if (trained_.head) pass.flops.weight_gradients += head;
}

Flops FlopCounter::of(const BatchWork& work) const {
  Pass pass;
  if (stage_.objective == Objective::reconstruct) {
    const VisionConfig& c = *config_.vision;
    count_vision(pass, work);
    const int64_t numbers = 3 * c.patch_size * c.patch_size + num_oriented_gradients(c.patch_size);
    pass.products(2.0 * number(work.images * c.num_patches() * c.hidden_size * numbers), true);
    return pass.flops;
  }
  if (work.images > 0) {
    count_vision(pass, work);
    count_connector(pass, work);
  }
  count_language(pass, work);
  return pass.flops;
}

// Five times x x^T, its square, and a product with x (train/orthogonal.h).
double FlopCounter::optimizer_step() const {
  if (stage_.optimizer != OptimizerKind::muon) return 0;
  const Trainable trains = trainable_of(stage_, config_);
  double sum = 0;
  for (const auto& [name, shape] : parameter_shapes(config_)) {
    if (!trains(name) || !is_hidden_matrix(name, std::ssize(shape))) continue;
    const double less = number(std::min(shape[0], shape[1]));
    const double more = number(std::max(shape[0], shape[1]));
    sum += 5.0 * (4.0 * less * less * more + 2.0 * less * less * less);
  }
  return sum;
}

double stored_features_flops(const VisionConfig& vision, int64_t depth) {
  const double layers = number(std::min(depth, vision.num_hidden_layers));
  return patch_products(vision) + layers * (vision_tokens(vision) * vision_layer_products(vision) +
                                            vision_attention(vision));
}

}  // namespace sightline
