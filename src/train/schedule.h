#pragma once
// Learning rates over a stage: linear warm-up, then cosine or constant, by the share of the stage
// that is behind us (0 .. 1), so that no count of steps need be known before.

#include "recipe/recipe.h"

#include <string_view>

namespace sightline {

// Factor of the peak rate at `progress`. A step that begins the stage already moves: the warm-up
// counts the step itself, hence both ends of the step.
double schedule_factor(const StageRecipe& stage, double progress_before, double progress_after);

// The peak rate of a parameter, by the part its name begins with.
double peak_rate(const ByPart& rates, std::string_view parameter_name);

}  // namespace sightline
