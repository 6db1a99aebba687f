#pragma once
// How many floating-point operations a stage's micro-batches take, from the sizes of the model and
// what attention computes of them. A product of [a, b] and [b, c] counts 2 a b c; sums, norms and
// what else goes number by number are left out (under 1 % where the model is not tiny).
//
// What backward computes is autograd's choice, and followed here: a layer below which nothing
// trains gives no gradient of its input, a frozen layer none of its weights.
//
// Legend: T packed rows, I images, S predictions.

#include "batch/batch.h"
#include "model/model.h"
#include "plan/trained_layers.h"
#include "recipe/recipe.h"

#include <cstdint>

namespace sightline {

struct Flops {
  double forward = 0;
  double input_gradients = 0;   // what flows down: of hidden states and inside attention
  double weight_gradients = 0;  // of what trains
  double recomputed = 0;        // forward again: checkpoint_activations, and attention's scores

  double total() const { return forward + input_gradients + weight_gradients + recomputed; }
  Flops& operator+=(const Flops& other);
  Flops scaled(double factor) const;
};

// What decides the cost of one micro-batch.
struct BatchWork {
  int64_t rows = 0;           // T
  int64_t images = 0;         // I
  int64_t predictions = 0;    // S
  int64_t scores = 0;         // (query, key) pairs that attention computes, padding included
  int64_t group_scores = 0;   // of them the most that one product makes
  int64_t gathered_keys = 0;  // key rows that attention copies, padding included
};

// Scores and keys are those of the plan as the CPU's attention lowers it (tensor/attention.h).
BatchWork work_of(const Batch& batch);

class FlopCounter {
 public:
  // `depth` is the vision model's cut at which features are stored, or kFromPixels.
  FlopCounter(const ModelConfig& config, const StageRecipe& stage, int64_t depth);

  // One micro-batch: loss and, where anything that trains is reached, backward.
  Flops of(const BatchWork& work) const;
  // One optimizer step without its micro-batches: Muon's products; 0 for AdamW.
  double optimizer_step() const;

 private:
  struct Pass;
  void count_vision(Pass& pass, const BatchWork& work) const;
  void count_connector(Pass& pass, const BatchWork& work) const;
  void count_language(Pass& pass, const BatchWork& work) const;

  ModelConfig config_;
  StageRecipe stage_;
  TrainedLayers trained_;
  int64_t depth_;
};

// Of one picture through the frozen layers below `depth`, once, forward alone.
double stored_features_flops(const VisionConfig& vision, int64_t depth);

}  // namespace sightline
