#include "plan/memory.h"

#include "data/loader.h"
#include "recipe/trainable.h"
#include "train/hidden_matrix.h"
#include "train/stage_trainer.h"

#include <algorithm>
#include <functional>
#include <numeric>

namespace sightline {

namespace {

double number(int64_t value) { return static_cast<double>(value); }

double bytes_of(NumberType numbers) { return numbers == NumberType::bf16 ? 2 : 4; }

// Adds what each parameter takes; gives back how many train.
double add_parameters(Memory& memory, const MemoryInput& input) {
  const Trainable trains = trainable_of(input.stage, input.config);
  const double width = bytes_of(input.recipe.numbers);
  double trained = 0;
  for (const auto& [name, shape] : parameter_shapes(input.config)) {
    const double count =
        number(std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>()));
    memory.weights += width * count;
    if (!trains(name)) continue;
    trained += count;
    if (width == 2) memory.masters += 2 * count;  // fp32 weights are their own
    const bool muon =
        input.stage.optimizer == OptimizerKind::muon && is_hidden_matrix(name, std::ssize(shape));
    memory.optimizer += (muon ? 4 : 8) * count;
    if (input.sums_gradients) memory.gradients += 4 * count;
    if (input.stage.ema > 0) memory.averages += 4 * count;
  }
  return trained;
}

// Batches carry fp32 pixels or bf16 features; samples that wait carry 8-bit pixels.
double batches_of(const MemoryInput& input) {
  if (!input.config.vision || input.images_a_step == 0) return 0;
  const VisionConfig& c = *input.config.vision;
  const double steps = number(LoaderOptions().prefetch) + 1;  // and the one in use
  if (input.depth == kFromPixels) {
    const double pixels = number(3 * c.image_size * c.image_size);
    return steps * input.images_a_step * 4 * pixels + number(input.recipe.look_ahead) * pixels;
  }
  const int64_t tokens =
      c.num_patches() + (input.depth > c.num_hidden_layers ? 0 : c.class_tokens());
  return steps * input.images_a_step * 2 * number(tokens * c.hidden_size);
}

// `passing`: a micro-batch's gradients, on their way to the ranks that hold the sums.
void share_out(Memory& memory, const MemoryInput& input, double passing) {
  if (input.sharding == Sharding::none) return;
  const double ranks = number(input.ranks);
  for (double* held : {&memory.masters, &memory.optimizer, &memory.averages}) *held /= ranks;
  if (input.sharding != Sharding::gradients) return;
  memory.gradients /= ranks;
  memory.working = std::max(memory.working, passing - memory.activations);
}

}  // namespace

Memory memory_of(const MemoryInput& input) {
  Memory memory;
  const double lanes = number(std::max<int64_t>(1, input.recipe.side_by_side));
  const double trained = add_parameters(memory, input);
  memory.activations = lanes * input.largest.saved;
  memory.working = lanes * input.largest.working;
  const double trained_bytes = bytes_of(input.recipe.numbers) * trained;
  // Without sums gradients wait for the optimizer; side by side they go to the sums when all lanes
  // have theirs. What was saved is given back by then.
  if (lanes > 1 || !input.sums_gradients) {
    memory.working = std::max(memory.working, lanes * trained_bytes - memory.activations);
  }
  memory.batches = batches_of(input);
  share_out(memory, input, trained_bytes);
  const CheckpointRecipe& checkpoint = input.recipe.checkpoint;
  if (checkpoint.background && checkpoint.every > 0) {  // rank 0's: the weights too
    memory.checkpoint = trained_bytes + memory.masters + memory.optimizer + memory.averages;
  }
  return memory;
}

}  // namespace sightline
