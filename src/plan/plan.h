#pragma once
// What a recipe costs, before anything is spent: parameters, data, operations and memory of each
// stage. Reads configs, tokenizer and annotations; never weights or pictures.

#include "plan/assumed.h"
#include "plan/memory.h"
#include "plan/stage_work.h"
#include "recipe/recipe.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sightline {

struct PlanOptions {
  int64_t samples = 0;  // of each stage looked at, drawn as training draws them; 0: all
  std::map<std::string, AssumedData> assumed;  // in place of these data tables
  // Over how many ranks memory is shared out.
  int64_t ranks = 1;
  Sharding sharding = Sharding::none;
};

struct PartParameters {
  std::string part;  // vision | connector | language
  int64_t trained = 0, frozen = 0;
};

// Features of frozen vision layers that a stage stores before its first step.
struct FeaturePlan {
  int64_t depth = 0;  // the cut; 0: the stage stores none
  int64_t pictures = 0;
  int64_t computed = 0;  // of them: the others are stored already by a stage before
  double flops = 0;
  double bytes = 0;  // on disk, what this stage adds
};

struct StagePlan {
  std::string name;
  MaskPolicy mask = MaskPolicy::image;
  bool assumed = false;  // its data are told by their sizes
  std::vector<PartParameters> parts;
  StageWork work;
  FeaturePlan features;
  Memory memory;

  int64_t trained() const;
  double flops() const { return work.flops_in_all() + features.flops; }
};

struct RecipePlan {
  ModelConfig config;
  std::vector<StagePlan> stages;
};

// A stage with assumed data next to data at hand is a UsageError, as is an assumed table that the
// recipe lacks.
RecipePlan plan_recipe(const Recipe& recipe, const PlanOptions& options);

}  // namespace sightline
