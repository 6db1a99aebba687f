#pragma once
// Inside plan/: which features a recipe's stages store before their first step. A picture's are
// stored once for a cut and for what the weights below it are.

#include "plan/plan.h"
#include "train/stage_data.h"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace sightline {

class StoredFeatures {
 public:
  // Of a stage that stores some. Pictures count by their names: the same one under two counts
  // twice.
  FeaturePlan add(const StageRecipe& stage, const StageData& data, const ModelConfig& config,
                  const Recipe& recipe, const StagePlan& stage_plan);

  // A stage is over that trained the vision model from layer `lowest` on (num_hidden_layers + 1:
  // nothing of it).
  void trained(int64_t lowest) { lowest_trained_.push_back(lowest); }

 private:
  // By the cut, and how often what lies below it has been trained.
  std::map<std::pair<int64_t, int64_t>, std::set<std::string>> stored_;
  std::vector<int64_t> lowest_trained_;
};

}  // namespace sightline
