#pragma once
// One stage, step by step: batches -> loss -> gradients -> optimizer. Which parameters train, by
// what objective and at what rates is the stage's; where the run stands and what is written down is
// the caller's (src/run).

#include "bundle/bundle.h"
#include "data/loader.h"
#include "dist/world.h"
#include "recipe/recipe.h"
#include "recipe/trainable.h"
#include "tensor/copy_ahead.h"
#include "train/gradient_exchange.h"
#include "train/optimizer.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sightline {

struct StepReport {
  double loss = 0;      // mean over the step's predictions (images for reconstruct)
  PartNorms gradient;   // before clipping
  PartNorms update;     // of the change of the weights (the fp32 masters)
  double factor = 0;    // of the peak learning rates
  double progress = 0;  // of the stage, after the step
  int64_t rows = 0, predictions = 0, images = 0, samples = 0, micro_batches = 0;
  Exchanged exchanged;  // with the other ranks
};

// The stage's predicate over the model's parameters, and the cut below which nothing trains.
Trainable trainable_of(const StageRecipe& stage, const ModelConfig& config);

// Sets requires_grad of every parameter by the stage.
void freeze_by(const StageRecipe& stage, Model& model);

// Forward pass of one micro-batch's loss, over `divisor`. `depth` is the vision model's cut at
// which the batch's features were stored, or kFromPixels.
at::Tensor batch_loss(const Model& model, const Batch& batch, int64_t depth, double divisor,
                      const ModelDropout& dropout = {},
                      Activations activations = Activations::kept);

struct TrainerOptions {
  int64_t depth = 0;         // the vision model's cut, as batch_loss takes it
  uint64_t seed = 0;         // the stage's: of dropout, and of the patches that reconstruct hides
  int64_t side_by_side = 1;  // micro-batches computed at once, a thread each
  World* world = nullptr;    // the ranks that share each step's micro-batches; null: alone
  Sharding sharding = Sharding::none;  // of the optimizer's state over these ranks
  Travel gradients = Travel::full;     // between ranks
};

class StageTrainer {
 public:
  // The bundle and the world must outlive this.
  StageTrainer(Bundle& bundle, const StageRecipe& stage, const TrainerOptions& options);

  int64_t num_parameters() const { return optimizer_.num_parameters(); }
  // Whether each rank has a state() of its own, rather than all the same.
  bool is_sharded() const { return options_.sharding != Sharding::none && ranks() > 1; }
  Shard shard() const;

  // Puts the running averages where the model's weights are, all ranks together, and back to the
  // bit; nothing happens where the stage keeps none.
  void put_averages_in();
  void put_back();

  // Of what the stage trains, for checkpoints: the optimizer's state and the averages. Sharded, of
  // this rank's part of it.
  ParamMap state() const;
  void restore(const StoredTensor& stored);

  // At the stage's end: averaged weights, where the stage keeps them, become the model's.
  void finish();

  // One optimizer step, all ranks together: each adds the gradients of its micro-batches, which are
  // then summed over the ranks, once, so that all move their weights alike, to the bit. Sharded,
  // each moves its own and gives them to the others; where gradients are sharded too they are
  // summed at every micro-batch, for no rank has room for all. A rank may
  // have no micro-batch, or none that reaches all that trains. `stage_step` counts from 0. A loss
  // or gradient norm that is not finite is an Error naming the step and its samples; the weights
  // are then as they were before the step.
  StepReport step(const LoadedStep& loaded, int64_t stage_step);

 private:
  ModelDropout dropout_of(uint64_t number) const;
  // A micro-batch, and its number in the stage, which decides what is drawn at random for it.
  struct Numbered {
    const Batch* batch = nullptr;
    uint64_t number = 0;
    CopyAhead pictures;  // its pixels or features on the model's device, once begun
  };
  void begin_copies(std::span<Numbered> batches) const;
  // The micro-batch's loss, over `divisor`.
  at::Tensor loss_of(const Numbered& numbered, double divisor) const;
  std::vector<Numbered> batches_of(const LoadedStep& loaded, int64_t stage_step) const;
  int64_t ranks() const { return options_.world == nullptr ? 1 : options_.world->size(); }
  bool shards_gradients() const { return is_sharded() && options_.sharding == Sharding::gradients; }
  // Adds the gradients of micro-batches, side by side, and their losses to `losses`.
  void add_gradients(std::span<const Numbered> batches, double divisor,
                     std::vector<at::Tensor>& losses);
  // A micro-batch's, or none, to the sums: this rank's, or those of the ranks that they belong to.
  void add_to_sums(std::span<const at::Tensor> gradients);
  int64_t most_on_any_rank(int64_t micro_batches);
  // Over the ranks: the gradients, and what the report sums.
  void sum_over_ranks(StepReport& report);
  PartNorms norms_over_ranks(PartSquares squares);
  // Gives all ranks the weights that each has moved.
  void share_weights();

  Bundle& bundle_;
  StageRecipe stage_;
  TrainerOptions options_;
  Optimizer optimizer_;
  CopyStream copies_;
  std::optional<GradientExchange> exchange_;  // where each rank holds all sums
  std::optional<WeightAverage> average_;
};

}  // namespace sightline
