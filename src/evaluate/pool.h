#pragma once
// Results of one task on separate pieces of a data set, joined and scored as one. The folds of a
// cross-validation hold out each picture once; together their answers are those of a model that has
// trained on none of what it is asked.

#include "evaluate/task.h"

#include <filesystem>
#include <span>
#include <vector>

namespace sightline {

// One result for each row (baselines, then the model) that the folders share, over the cases of all
// of them in the order of the folders and numbered from 0. Scores are computed anew, so CIDEr's
// word weights are those of the whole. Folders are such as write_results wrote. Error, naming the
// folder: another task, kind or decoding, other rows, an example that an earlier folder holds too.
std::vector<TaskResult> pool_results(std::span<const std::filesystem::path> folders);

}  // namespace sightline
