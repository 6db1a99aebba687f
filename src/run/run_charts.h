#pragma once
// A run's curves.

#include "recipe/recipe.h"
#include "report/chart.h"
#include "run/run_record.h"
#include "run/run_scores.h"

#include <span>
#include <vector>

namespace sightline {

// Loss, learning rate, gradient norms, throughput, waiting, and scores where there are any.
std::vector<Chart> run_charts(const RunRecord& record, std::span<const TaskScores> scores,
                              const Recipe& recipe);

// Loss and scores: what a results page shows of a run.
std::vector<Chart> headline_charts(const RunRecord& record, std::span<const TaskScores> scores);

}  // namespace sightline
