#include "plan/activations.h"

#include "tensor/linear.h"
#include "tensor/tile_attention.h"
#include "train/loss.h"
#include "train/oriented_gradients.h"

#include <algorithm>

namespace sightline {

namespace {

double number(int64_t value) { return static_cast<double>(value); }

// What one layer saves for backward, and what its backward makes beside that.
struct Layer {
  double saved = 0, working = 0;
};

}  // namespace

// Walks the model from below. `flows` says whether the hidden states reached need gradients.
struct ActivationCounter::Pass {
  double saved = 0, working = 0;
  bool flows = false;

  // Only the uppermost layer's backward meets all that is saved.
  void add(const Layer& layer, double input, bool recomputed) {
    saved += recomputed ? input : layer.saved;
    working = layer.working + (recomputed ? layer.saved : 0);
  }
};

ActivationCounter::ActivationCounter(const ModelConfig& config, const StageRecipe& stage,
                                     NumberType numbers, int64_t depth)
    : config_(config),
      stage_(stage),
      trained_(trained_layers(config, stage)),
      depth_(depth),
      width_(numbers == NumberType::bf16 ? 2 : 4) {}

// Whether attention goes a document at a time on this machine (tensor/tile_attention.h): then it
// saves q, k and v alone.
bool ActivationCounter::by_tiles(int64_t head_size) const {
  return takes_tiles(at::kCPU, width_ == 2 ? at::kBFloat16 : at::kFloat, head_size);
}

// Saved: what both norms take, q, k, v, attention's result, what GELU takes. Of each row the norms'
// mean and scale, and a number each head. What matrices that train take beside that is made again.
void ActivationCounter::count_vision(Pass& pass, const BatchWork& work) const {
  const VisionConfig& c = *config_.vision;
  const double rows = number(work.images * (c.num_patches() + c.class_tokens()));
  const double d = number(c.hidden_size), m = number(c.intermediate_size);
  if (depth_ == kFromPixels) {
    pass.flows = trained_.vision_embeddings || stage_.objective == Objective::reconstruct;
    if (trained_.vision_embeddings && width_ == 2) {  // fp32 pixels are the batch's own
      const bool patches = multiplies_by_kernels(at::kCPU, at::kBFloat16);
      const int64_t side = patches ? c.image_size / c.patch_size * c.patch_size : c.image_size;
      pass.saved += width_ * number(work.images * 3 * side * side);
    }
  }
  for (int64_t i = std::max<int64_t>(0, depth_); i < c.num_hidden_layers; ++i) {
    const bool trains = trained_.vision.contains(i);
    pass.flows = pass.flows || trains;
    if (!pass.flows) continue;
    const bool tiles = by_tiles(c.hidden_size / c.num_attention_heads);
    const double statistics = 4 * ((tiles ? 0 : number(c.num_attention_heads)) + 4);
    const double frozen = (tiles ? 5 : 6) * d + m;
    const Layer layer{.saved = rows * (width_ * (trains ? 6 * d + m : frozen) + statistics),
                      .working = width_ * rows * (2 * m + 2 * d)};
    pass.add(layer, width_ * rows * d, stage_.checkpoint_activations);
  }
  pass.flows = pass.flows || trained_.vision_norm;
  if (pass.flows && c.last_norm) pass.saved += width_ * rows * d;
}

// Saved: what each matrix takes where it trains, and what it gives (GELU's input; the rows that go
// into the packed batch). A norm keeps three copies in fp32.
void ActivationCounter::count_connector(Pass& pass, const BatchWork& work) const {
  const double rows = number(work.images * config_.rows_per_image());
  const NamedShapes shapes = connector_parameters(config_.connector, config_.vision->hidden_size,
                                                  config_.language->hidden_size);
  const bool trains = trained_.connector;
  pass.flows = pass.flows || trains;
  if (!pass.flows) return;
  for (const auto& [name, shape] : shapes) {
    if (name.find("norm") != std::string::npos) pass.saved += 3 * 4 * rows * number(shape[0]);
    if (shape.size() != 2) continue;
    const bool stored_turned = config_.connector.kind == ConnectorKind::pool;  // [in, out]
    const double in = number(shape[stored_turned ? 0 : 1]);
    const double out = number(shape[stored_turned ? 1 : 0]);
    pass.saved += width_ * rows * (trains ? in + out : out);
  }
}

// Saved: what both norms take, q, k, v, the scores, gate and up; and, where the matrices train,
// attention's result. What else they take is made again.
void ActivationCounter::count_language(Pass& pass, const BatchWork& work) const {
  const LanguageConfig& c = *config_.language;
  const double rows = number(work.rows);
  const double d = number(c.hidden_size), m = number(c.intermediate_size);
  const double q = number(c.num_attention_heads * c.head_dim);
  const double kv = number(c.num_key_value_heads * c.head_dim);
  const double heads = number(c.num_attention_heads);
  if (trained_.words && work.images > 0) pass.saved += width_ * rows * d;  // words to be placed
  pass.flows = pass.flows || trained_.words;
  const bool tiles = by_tiles(c.head_dim);
  const double keys = number(work.gathered_keys) * kv;
  const double attention =
      tiles ? 2 * rows * (q + kv) : 4 * rows * q + 4 * keys + number(work.group_scores) * heads;
  const double scores = tiles ? 0 : number(work.scores) * heads;
  double of_attention = 0;
  for (int64_t i = 0; i < c.num_hidden_layers; ++i) {
    const bool trains = trained_.language.contains(i);
    pass.flows = pass.flows || trains;
    of_attention = width_ * (2 * rows * d + attention);
    if (!pass.flows) continue;
    Layer layer;
    layer.saved = width_ * (rows * (2 * d + q + 2 * kv + 2 * m) + scores) + 8 * rows;
    if (trains) layer.saved += width_ * rows * q;
    // Before backward reaches the attention, the MLP's part of what was saved is given back.
    const double of_mlp = rows * (2 * m + d);
    layer.working =
        std::max(width_ * rows * ((trains ? 3 : 2) * m + 2 * d), of_attention - width_ * of_mlp);
    pass.add(layer, width_ * rows * d, stage_.checkpoint_activations);
  }
  if (pass.flows) pass.saved += width_ * rows * (d + 2 * number(c.head_dim));  // and the rotation
  // A forward pass that saves nothing still makes its layer's numbers.
  if (!pass.flows) pass.working = std::max(of_attention, width_ * rows * (3 * m + 2 * d));
  count_loss(pass, work);
}

// The loss saves its gradients: of the hidden states, and of the head in fp32. Beside these it
// needs a chunk's logits in fp32 twice (the logarithm's sum takes a copy), the hidden states, and
// the head's gradient as the product gives it, which waits, where embeddings are tied, for the
// table's at the bottom of the model.
void ActivationCounter::count_loss(Pass& pass, const BatchWork& work) const {
  const LanguageConfig& c = *config_.language;
  const double vocabulary = number(c.vocab_size), d = number(c.hidden_size);
  const double predictions = number(work.predictions);
  const double chunk = std::min(predictions, number(loss_chunk(c.vocab_size, {})));
  const double head = trained_.head ? vocabulary * d : 0;
  const double logits =
      std::max(8 * chunk * vocabulary, (width_ == 2 ? 6 : 4) * chunk * vocabulary + width_ * head);
  const double at_loss = width_ * d * (number(work.rows) + predictions) + logits;
  const double saved = width_ * d * predictions + 4 * head;
  // Backward through the layers begins when the loss has given its own back.
  const double below = pass.working + (c.tie_word_embeddings ? width_ * head : 0);
  pass.saved += saved;
  pass.working = std::max(at_loss, below - saved);
}

// Beside the vision model's: the head's input, and predictions, targets and differences in fp32.
void ActivationCounter::count_reconstruction(Pass& pass, const BatchWork& work) const {
  const VisionConfig& c = *config_.vision;
  const double rows = number(work.images * c.num_patches());
  const double pixels = number(3 * c.patch_size * c.patch_size);
  const double edges = stage_.edge_weight > 0 ? number(num_oriented_gradients(c.patch_size)) : 0;
  pass.saved += rows * (width_ * number(c.hidden_size) + 4 * 2 * (pixels + edges));
  pass.working = std::max(pass.working, rows * 4 * 2 * (pixels + edges));
}

ActivationBytes ActivationCounter::of(const BatchWork& work) const {
  Pass pass;
  if (stage_.objective == Objective::reconstruct) {
    count_vision(pass, work);
    count_reconstruction(pass, work);
    return {pass.saved, pass.working};
  }
  if (work.images > 0) {
    count_vision(pass, work);
    count_connector(pass, work);
  }
  count_language(pass, work);
  return {pass.saved, pass.working};
}

}  // namespace sightline
