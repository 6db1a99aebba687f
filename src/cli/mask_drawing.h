#pragma once
// What a mask policy lets see what, on two made-up samples: a conversation about two pictures,
// and a picture with two captions. Drawn from the layout that training would pack.

#include "recipe/recipe.h"
#include "report/grid.h"

#include <vector>

namespace sightline {

std::vector<Grid> mask_drawings(MaskPolicy policy);

}  // namespace sightline
