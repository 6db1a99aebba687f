#pragma once
// A whole recipe: its stages in order, evaluation between, checkpoints, and at the end a model
// folder. The run folder holds
//
//   recipe.toml       the resolved recipe; `train` of it does the same run again
//   run.jsonl         every step and evaluation
//   events.out.*      the same for TensorBoard
//   report.html       all of it on a page, written anew while the run goes on
//   plan.json         what each stage was going to take
//   samples.json      the page's pictures; machine.json: what the run was computed on
//   checkpoints/      what --resume goes on from
//   stages/           the weights that each stage left, what --from-stage begins from
//   history.json      where the first stages come from, if not from this run
//   evaluations/      predictions and scores
//   best/             the model folder of the best evaluation, where the recipe asks for one
//   model/            the trained model

#include "recipe/recipe.h"
#include "train/optimizer.h"

#include <filesystem>

namespace sightline {

enum class Resume { no, yes };

class World;

struct RunOptions {
  std::filesystem::path folder;  // the run folder
  Resume resume = Resume::no;  // go on from the newest checkpoint; from the start if there is none
  World* world = nullptr;      // the ranks that train together; null: alone
  Sharding sharding = Sharding::none;  // of the optimizer's state over them
  at::Device device = at::kCPU;        // where the model is computed (tensor/device.h)
};

// Trains. Of several ranks, all of which call it, rank 0 alone writes the run folder, the log and
// the evaluations; all read checkpoints there. On SIGINT or SIGTERM (of any rank) it writes a
// checkpoint behind the step at hand and fails with a message that says how to go on.
void run_recipe(const Recipe& recipe, const RunOptions& options);

}  // namespace sightline
