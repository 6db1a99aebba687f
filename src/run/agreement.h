#pragma once
// What the ranks of a run must hold alike, compared: at the start program, recipe and data, and at
// each checkpoint the weights. Otherwise they would train different models and say nothing.

#include "data/loader.h"
#include "dist/world.h"
#include "recipe/recipe.h"
#include "tensor/param_map.h"

namespace sightline {

// The program's own file and the recipe as it is printed.
void check_same_run(World& world, const Recipe& recipe);
// The number of samples and the first of each data set.
void check_same_data(World& world, const LoaderOptions& options);
// To the bit.
void check_same_weights(World& world, const ParamMap& params);

}  // namespace sightline
