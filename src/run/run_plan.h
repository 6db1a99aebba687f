#pragma once
// plan.json of a run folder: what each stage was going to take, beside which the report puts what
// it took.

#include "recipe/recipe.h"
#include "run/run_record.h"

#include <filesystem>
#include <string>

namespace sightline {

// Writes plan.json, where there is none yet. Of each stage the first samples are looked at, and
// scaled up to the whole, so that it takes seconds on data of any size. Never throws: a recipe that
// cannot be planned is told, and its training will say what is wrong.
void write_run_plan(const std::filesystem::path& run, const Recipe& recipe);

// A row a stage of `file` (plan.json): planned and done, the rate of operations, and the time left
// at that rate.
std::string plan_table(const std::filesystem::path& file, const RunRecord& record);

}  // namespace sightline
