#pragma once
// The tables of a run's report, as HTML.

#include "recipe/recipe.h"
#include "run/run_record.h"
#include "run/run_scores.h"

#include <filesystem>
#include <span>
#include <string>

namespace sightline {

// A column a stage of the recipe: what it trains on what, and what its steps came to so far.
std::string stages_table(const RunRecord& record, const Recipe& recipe);
// A row an evaluation: the validation loss, and each task's scores with their intervals.
std::string scores_table(const RunRecord& record, std::span<const TaskScores> scores);
// machine.json.
std::string machine_table(const std::filesystem::path& file);

}  // namespace sightline
