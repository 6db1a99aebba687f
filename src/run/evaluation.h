#pragma once
// What [eval] asks for, of the model as it stands.

#include "bundle/bundle.h"
#include "dist/world.h"
#include "recipe/recipe.h"
#include "train/checkpoint.h"

#include <filesystem>
#include <map>
#include <string>

namespace sightline {

// The validation loss and the tasks' scores by name (the first task's where two score alike).
// Answers and scores go to `folder`/evaluations/step-N/TASK. All ranks look at it together; rank 0
// has the scores, and writes.
std::map<std::string, double> evaluation_scores(const Recipe& recipe, const RunState& state,
                                                const Bundle& bundle,
                                                const std::filesystem::path& folder, World& world);

}  // namespace sightline
