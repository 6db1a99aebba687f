#pragma once
// What moves a stage's trained parameters. AdamW: one pass over a parameter's memory
// (train/adamw.h). Muon (Jordan 2024, https://kellerjordan.github.io/posts/muon): the
// matrices inside the layers move by their momentum made orthogonal (train/orthogonal.h), at a size
// like AdamW's (Liu et al. 2025, arXiv 2502.16982), so that one learning rate serves both;
// embeddings, the head, norms, biases and convolutions stay with AdamW. 16-bit weights are fp32
// masters, rounded (train/master.h); gradients of several micro-batches are summed in fp32
// (train/gradient_sums.h). So a trained parameter takes 10 bytes beside its 16-bit weight (8 beside
// a 32-bit one), what rounding left and two moments, Muon one moment less; 4 more where a step has
// several micro-batches. A step adds a few dozen MiB of its own, whatever the model's size, and its
// gradients.
//
// Of several ranks each may keep the masters and moments of its share of the parameters alone
// (ZeRO-1), and the sums of their gradients too (ZeRO-2; Rajbhandari et al. 2020, arXiv
// 1910.02054). Parameters are shared out whole, so that what Muon makes orthogonal stays in one
// place: near-equal numbers to each rank.

#include "recipe/recipe.h"
#include "tensor/param_map.h"
#include "train/gradient_sums.h"
#include "train/master.h"
#include "train/part_norms.h"
#include "train/stored_tensor.h"
#include "train/weight_average.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

namespace sightline {

enum class Sharding { none, optimizer, gradients };  // ZeRO-0, -1, -2

// What of a run's ranks an optimizer is.
struct Shard {
  Sharding sharding = Sharding::none;
  int64_t rank = 0, ranks = 1;
};

class Optimizer {
 public:
  // Trains those parameters of `params` that require gradients. `params` must outlive this.
  Optimizer(const StageRecipe& stage, const ParamMap& params, const Shard& shard = {});

  // A step's gradients come between these: backward passes add to the sums (train/gradient_sums.h).
  void begin_gradients();
  void end_gradients();

  // A backward pass that leaves the sums alone: its gradients by parameter, undefined where the
  // loss doesn't depend on one. May run on several threads at once. What it gives is for
  // add_gradients().
  std::vector<at::Tensor> gradients_of(const at::Tensor& loss) const;
  void add_gradients(std::span<const at::Tensor> gradients);

  // The sums of those gradients whose sums this rank holds: all, or under Sharding::gradients its
  // own. By parameter, in the order of weights() then. Made for good by the first call.
  const GradientBuckets& gradient_buckets(const MakeBuckets& make = zeros_of);
  // Called, if set, with the number (in weights()) of each that a backward pass has added to.
  void on_arrival(std::function<void(size_t weight)> arrived) const;
  // What trains, on whichever rank, from the bottom of the model up.
  std::vector<at::Tensor> weights() const;

  // By the rank that each parameter belongs to, the same parameters in the same order on all ranks.
  using ByOwner = std::vector<std::vector<at::Tensor>>;
  ByOwner weights_by_owner() const;
  // Under Sharding::gradients: one micro-batch's gradients (of gradients_of(), or none: zeros), to
  // be summed to their owners; then this rank's, summed, are added.
  ByOwner by_owner(std::span<const at::Tensor> gradients) const;
  void add_own(std::span<const at::Tensor> gradients);

  // Of what this rank has the sums of.
  PartSquares gradient_squares() const;

  // Clips to the stage's norm and moves this rank's weights at `factor` of their peak rates. The
  // squares of what they changed by, weight decay included.
  PartSquares step(double factor, double gradient_norm);

  // What of masters and moments of this rank's parameters is not the weights, by name, for
  // checkpoints: "<parameter>.rest|.first|.second|.step" (fp32 weights: no rest; Muon: first
  // alone).
  ParamMap state() const;
  // Takes back what state() gave, here or elsewhere, when the weights are what they were then.
  void restore(const StoredTensor& stored);

  // What this rank moves, in a fixed order.
  std::vector<TrainedParameter> trained() const;

  int64_t num_parameters() const;  // all ranks'

 private:
  struct Slot {
    std::string name;
    at::Tensor weight;               // the model's leaf
    Master master;                   // of it, on the rank that it belongs to
    at::Tensor first, second, step;  // moments; Muon has the first alone
    double rate = 0, decay = 0;
    bool muon = false;
    int64_t owner = 0;
  };
  bool is_own(const Slot& slot) const {
    return shard_.sharding == Sharding::none || slot.owner == shard_.rank;
  }
  void share_out();
  void begin(Slot& slot) const;
  void begin_sums();
  // What scales the rates, and the gradients (clipping).
  struct Scales {
    double rate = 1, gradient = 1;
  };
  at::Tensor step_adamw(Slot& slot, const Scales& scales) const;
  void step_muon(const Scales& scales, PartSquares& changes);
  void step_muon(const Scales& scales, std::span<Slot* const> slots, PartSquares& changes);

  StageRecipe stage_;
  Shard shard_;
  std::vector<Slot> slots_;
  std::unique_ptr<GradientSums> sums_;  // null: this rank holds none
};

}  // namespace sightline
