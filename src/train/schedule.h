#pragma once
// Learning rates over a stage: linear warm-up, then by the schedule, by the share of the stage that
// is behind us (0 .. 1), so that no count of steps need be known before. And what a recipe says by
// part, looked up for a parameter.

#include "recipe/recipe.h"

#include <cstdint>
#include <string_view>

namespace sightline {

// Factor of the peak rate at `progress`. A step that begins the stage already moves: the warm-up
// counts the step itself, hence both ends of the step.
//   constant  1
//   linear    from 1 down to final_lr
//   cosine    likewise, by half a cosine
//   wsd       1, and over the stage's last decay_share linearly down to final_lr (Hu et al. 2024,
//             arXiv 2404.06395); the decay begins behind the warm-up at the earliest
double schedule_factor(const StageRecipe& stage, double progress_before, double progress_after);

// The number of the part that a parameter's name begins with.
double of_part(const ByPart& numbers, std::string_view parameter_name);

// The share of its part's rate that a parameter has under `layer_decay` (as in BEiT, arXiv
// 2106.08254): 1 in the highest layer and above it (last norm, head), decay for each layer further
// down, and the embeddings, tied head included, below layer 0. 1 outside vision and language.
// `layers` is the part's number of layers.
double layer_share(double layer_decay, std::string_view parameter_name, int64_t layers);

}  // namespace sightline
