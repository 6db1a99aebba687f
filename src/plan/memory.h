#pragma once
// The memory that a stage takes at its peak, in bytes, by kind: from the sizes of the model, what
// trains, and the stage's largest micro-batch. Left out: what the allocator and the libraries below
// keep for themselves.

#include "plan/activations.h"
#include "recipe/recipe.h"
#include "train/optimizer.h"

#include <cstdint>

namespace sightline {

struct Memory {
  double weights = 0;
  double masters = 0;      // what bf16 weights lack of their fp32 masters
  double optimizer = 0;    // moments: AdamW two, Muon one
  double gradients = 0;    // fp32 sums over the step, where it has several micro-batches
  double averages = 0;     // ema
  double activations = 0;  // saved for backward, of the micro-batches computed at once
  double working = 0;      // of one layer, the loss, or gradients on their way to the sums
  double batches = 0;      // on the host: steps prepared ahead, and pictures that wait to be packed
  double checkpoint = 0;   // on the host: the copy of one that is written in the background

  // What stays, and what a step needs beside it.
  double lasting() const { return weights + masters + optimizer + gradients + averages; }
  double training() const { return lasting() + activations + working; }
  double host() const { return batches + checkpoint; }
};

struct MemoryInput {
  const ModelConfig& config;
  const Recipe& recipe;
  const StageRecipe& stage;
  int64_t depth = 0;            // the vision model's cut, or kFromPixels
  ActivationBytes largest;      // of any micro-batch
  double images_a_step = 0;     // on average
  bool sums_gradients = false;  // over micro-batches or ranks
  // Over how many ranks the optimizer's state is shared out, and the gradients' sums.
  int64_t ranks = 1;
  Sharding sharding = Sharding::none;
};

Memory memory_of(const MemoryInput& input);

}  // namespace sightline
