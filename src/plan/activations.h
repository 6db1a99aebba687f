#pragma once
// What one micro-batch keeps in memory: tensor by tensor, what autograd saves of the model's own
// operations for backward (src/model), and what a layer's backward or the loss needs beside that.
// A layer below which nothing trains, and that does not train itself, saves nothing.
//
// Legend: D hidden size, M the MLP's inner size, V vocabulary.

#include "model/model.h"
#include "plan/flops.h"
#include "plan/trained_layers.h"
#include "recipe/recipe.h"

#include <cstdint>

namespace sightline {

// In bytes. Saved tensors are given back on backward's way down, so that most is held where it
// begins, at the loss or in the uppermost layer.
struct ActivationBytes {
  double saved = 0;
  double working = 0;
  double total() const { return saved + working; }
};

class ActivationCounter {
 public:
  // `depth` is the vision model's cut at which features are stored, or kFromPixels.
  ActivationCounter(const ModelConfig& config, const StageRecipe& stage, NumberType numbers,
                    int64_t depth);

  ActivationBytes of(const BatchWork& work) const;

 private:
  struct Pass;
  bool by_tiles(int64_t head_size) const;
  void count_vision(Pass& pass, const BatchWork& work) const;
  void count_connector(Pass& pass, const BatchWork& work) const;
  void count_language(Pass& pass, const BatchWork& work) const;
  void count_loss(Pass& pass, const BatchWork& work) const;
  void count_reconstruction(Pass& pass, const BatchWork& work) const;

  ModelConfig config_;
  StageRecipe stage_;
  TrainedLayers trained_;
  int64_t depth_;
  double width_;  // bytes of a number of the model
};

}  // namespace sightline
