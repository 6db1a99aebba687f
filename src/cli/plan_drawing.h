#pragma once
// A packed micro-batch as a drawing: documents, branches and images, and who may look at whom.

#include "batch/batch.h"
#include "recipe/recipe.h"
#include "report/row_map.h"

#include <string>

namespace sightline {

// The first micro-batch that a stage's loader gives. A stage that learns no words, or whose mixture
// holds no good sample, is an Error.
Batch first_micro_batch(const Recipe& recipe, const StageRecipe& stage);

RowMap plan_drawing(const Batch& batch, const std::string& title);

}  // namespace sightline
