#pragma once
// A stage run again, changed or put in: a new run folder that takes over another run up to the
// stage, and from there on is a run like any other. The other folder stays as it is.

#include "recipe/recipe.h"

#include <filesystem>
#include <string>

namespace sightline {

struct BeginAgain {
  std::filesystem::path run;  // the run folder that is taken over
  std::string stage;          // of the recipe at hand: the first that is run anew
};

// Makes `folder` a run folder that stands where `from.run` stood when the stage before ended: its
// weights, the log and the ends of the earlier stages (files under a second name, where the file
// system can). The best score begins anew. Errors: the stages before, or what they stand on (model,
// their data), differ from that run's recipe; it has no end of the stage before; a run is in
// `folder` already.
void begin_again(const Recipe& recipe, const BeginAgain& from, const std::filesystem::path& folder);

// Where a run keeps the model as a stage left it: a checkpoint between stages.
std::filesystem::path stage_end(const std::filesystem::path& run, const std::string& stage);

}  // namespace sightline
