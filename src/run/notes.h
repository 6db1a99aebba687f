#pragma once
// What a run carries from step to step beyond the model; kept in every checkpoint's notes.

#include "base/json.h"
#include "recipe/recipe.h"

#include <cstdint>
#include <optional>

namespace sightline {

struct Notes {
  double seconds = 0;          // of training so far, earlier sessions included
  std::optional<double> best;  // of the run, by [eval].best
  int64_t best_step = 0;
  std::optional<double> stage_best;  // of the stage at hand
  int64_t without_better = 0;        // evaluations since that

  void begin_stage();
  // Takes in an evaluation's score. True where it is the run's best: ties go to the earlier.
  bool take(double score, int64_t step, const EvalRecipe& eval);
  // Whether [eval].patience is spent, and the stage ends.
  bool out_of_patience(const EvalRecipe& eval) const;
};

Json to_json(const Notes& notes);
Notes notes_from_json(const Json& json);

}  // namespace sightline
