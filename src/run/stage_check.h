#pragma once
// What of a recipe only the data and the model can tell, looked at before the first stage begins:
// a run of hours does not end at its third stage for it.

#include "bundle/bundle.h"
#include "recipe/recipe.h"

namespace sightline {

// An Error where a selector of a stage names nothing that the model has, where the loss reaches
// nothing of what a stage trains (pictures' parts on words alone), or where a data table of a stage
// has no sample with a token to learn. Stages before `first` are over, and not looked at.
void check_stages(const Recipe& recipe, const Bundle& bundle, int64_t first);

}  // namespace sightline
