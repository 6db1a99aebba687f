#pragma once
// This machine's rates for a stage, by the clock: a few of its own first steps on a model of its
// sizes with random weights, on pictures that are all alike; and a few of its pictures, opened.

#include "plan/device.h"
#include "plan/plan.h"
#include "recipe/recipe.h"

#include <optional>

namespace sightline {

struct Probe {
  double flops_per_second = 0;  // of steps, the optimizer's time included
  double feature_seconds = 0;   // frozen layers of one picture; 0 where the stage stores none
  double picture_seconds = 0;   // to open one on one core; 0 where the data are assumed
};

struct ProbeLimits {
  double product_rate = 0;  // measured_product_rate()
  double seconds = 60;      // of one step by that rate; a longer one is cut short
};

// Nothing where the machine lacks the memory, or a single micro-batch the time.
std::optional<Probe> probe_stage(const Recipe& recipe, const StageRecipe& stage,
                                 const RecipePlan& plan, const StagePlan& planned,
                                 const ProbeLimits& limits);

// The stage's time at probed rates on `cores` cores, on which reading and steps take turns.
StageTime probed_time(const StagePlan& stage, const Probe& probe, double cores);

}  // namespace sightline
