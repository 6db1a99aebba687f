#pragma once
// What a stage reads and computes, counted by packing its data as training does, without opening a
// picture.

#include "data/loader.h"
#include "plan/activations.h"
#include "plan/flops.h"
#include "recipe/recipe.h"

#include <cstdint>
#include <vector>

namespace sightline {

// Sums over the stage. Where only its first samples were looked at (they are drawn at random),
// scaled up to the whole.
struct StageWork {
  double samples = 0, steps = 0, micro_batches = 0;
  double tokens = 0;                     // packed rows, those of pictures included
  double images = 0;                     // shown, each as often as it is
  double predictions = 0;                // supervised tokens (reconstruct: pictures)
  double keys = 0, gathered_keys = 0;    // that attention reads; copied, padding included
  double scores = 0, padded_scores = 0;  // (query, key) pairs allowed; computed
  Flops flops;
  double optimizer_flops = 0;
  double reading_seconds = 0;  // processor time that reading and packing took, of all threads
  double looked_at = 1;        // share of the stage
  int64_t skipped = 0;         // bad samples among what was looked at
  ActivationBytes largest;     // of the micro-batch that takes most
  // The first steps, cut to a few micro-batches and without pictures' numbers: for a probe.
  std::vector<LoadedStep> first;

  double flops_in_all() const { return flops.total() + optimizer_flops; }
};

struct StageCounters {
  const FlopCounter& flops;
  const ActivationCounter& activations;
};

// `samples`: as many, drawn as training draws them, are looked at; 0: all.
StageWork stage_work(const LoaderOptions& options, const StageRecipe& stage,
                     const StageCounters& counters, int64_t samples);

}  // namespace sightline
