#pragma once
// What can be had without the model: numbers that a score must be read beside.
//   frequent  captions: the commonest caption of the neighbours data, for every picture. Questions:
//             the commonest answer there to the same question, or to any where it is not asked.
//   majority  questions only: the commonest answer there of all;
//   majority_of_kind  questions only: of the answers there to questions of the same kind (of any
//             where none is).
//   nearest   captions only: the first caption of the neighbour whose features are nearest, by the
//             cosine of the vision model's mean patch features. A neighbour that is the picture
//             itself counts: give data that does not overlap.
//   blind     the model with blank pictures.
// Equals go to the earlier one in the data.

#include "evaluate/task.h"

#include <string>
#include <vector>

namespace sightline {

// Result of one baseline, by its name in TaskRecipe::baselines, on the same cases as run_task().
// `options.pictures` is not looked at.
TaskResult run_baseline(const std::string& name, const Bundle& bundle, const TaskRecipe& task,
                        const Recipe& recipe, const TaskOptions& options);

// The task's baselines in the order above, and the model last.
std::vector<TaskResult> run_with_baselines(const Bundle& bundle, const TaskRecipe& task,
                                           const Recipe& recipe, const TaskOptions& options);

}  // namespace sightline
