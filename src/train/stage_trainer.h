#pragma once
// One stage, step by step: batches -> loss -> gradients -> optimizer. Which parameters train, by
// what objective and at what rates is the stage's; where the run stands and what is written down is
// the caller's (src/run).

#include "bundle/bundle.h"
#include "data/loader.h"
#include "recipe/recipe.h"
#include "recipe/trainable.h"
#include "train/optimizer.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace sightline {

struct StepReport {
  double loss = 0;           // mean over the step's predictions (images for reconstruct)
  double gradient_norm = 0;  // before clipping
  double factor = 0;         // of the peak learning rates
  double progress = 0;       // of the stage, after the step
  int64_t rows = 0, predictions = 0, images = 0, samples = 0, micro_batches = 0;
};

// The stage's predicate over the model's parameters, and the cut below which nothing trains.
Trainable trainable_of(const StageRecipe& stage, const ModelConfig& config);

// Sets requires_grad of every parameter by the stage.
void freeze_by(const StageRecipe& stage, Model& model);

// Forward pass of one micro-batch's loss, over `divisor`. `depth` is the vision model's cut at
// which the batch's features were stored, or kFromPixels.
at::Tensor batch_loss(const Model& model, const Batch& batch, int64_t depth, double divisor);

struct TrainerOptions {
  int64_t depth = 0;         // the vision model's cut, as batch_loss takes it
  uint64_t seed = 0;         // the stage's: reconstruct hides patches by it
  int64_t side_by_side = 1;  // micro-batches computed at once, a thread each
};

class StageTrainer {
 public:
  // The bundle must outlive this.
  StageTrainer(Bundle& bundle, const StageRecipe& stage, const TrainerOptions& options);

  Optimizer& optimizer() { return optimizer_; }

  // One optimizer step. `stage_step` counts from 0. A loss or gradient norm that is not finite is
  // an Error naming the step and its samples; the weights are then as they were before the step.
  StepReport step(const LoadedStep& loaded, int64_t stage_step);

 private:
  // The loss of the step's micro-batch of this number, over `divisor`.
  at::Tensor loss_of(const Batch& batch, uint64_t number, double divisor) const;
  // Adds the gradients of neighbouring micro-batches, side by side; their summed loss.
  double add_gradients(std::span<const Batch* const> batches, uint64_t first_number,
                       double divisor);

  Bundle& bundle_;
  StageRecipe stage_;
  TrainerOptions options_;
  Optimizer optimizer_;
};

}  // namespace sightline
