#include "run/evaluation.h"

#include "evaluate/result.h"
#include "evaluate/task.h"
#include "run/stage_input.h"

#include <algorithm>

#include <fmt/format.h>

namespace sightline {

std::map<std::string, double> evaluation_scores(const Recipe& recipe, const RunState& state,
                                                const Bundle& bundle,
                                                const std::filesystem::path& folder, World& world) {
  std::map<std::string, double> scores;
  if (!recipe.eval.validation.empty() && bundle.model->config().language) {
    const size_t index =
        std::min<size_t>(static_cast<size_t>(state.stage), recipe.stages.size() - 1);
    scores["validation_loss"] = validation_loss(recipe, recipe.stages[index], bundle, world);
  }
  for (const std::string& name : recipe.eval.tasks) {
    const TaskRecipe& task = recipe.tasks.at(name);
    TaskOptions options{.limit = task.limit};
    if (!world.is_first()) options.progress = ShowProgress::no;
    options.share = {world.rank(), world.size(),
                     [&](const std::string& text) { return world.gather(text, "evaluating"); }};
    const TaskResult result = run_task(bundle, task, recipe, options);
    if (!world.is_first()) continue;
    write_result(result, folder / "evaluations" / fmt::format("step-{:08}", state.step) / name);
    for (const Score& score : result.scores) scores.emplace(score.name, score.value);
  }
  return scores;
}

}  // namespace sightline
