#pragma once
// What a run's evaluations left in its folder: evaluations/step-N/TASK.

#include "run/run_record.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sightline {

struct ScoreAndInterval {
  double value = 0;
  double low = 0, high = 0;
  bool has_interval = false;
};

struct TaskScores {
  int64_t step = 0;
  std::string task;
  int64_t count = 0;                               // cases
  std::map<std::string, ScoreAndInterval> scores;  // by name
};

// evaluations/step-00000217
std::filesystem::path evaluation_folder(const std::filesystem::path& run, int64_t step);

// Of each evaluation in the record, each task's; an Error names a file that holds something else.
std::vector<TaskScores> read_task_scores(const std::filesystem::path& run, const RunRecord& record);

// The score that stands for all: CIDEr, VQA accuracy, exact match (accuracy, in older runs), or the
// first by name; "" where there is none.
std::string headline_score(const TaskScores& scores);

}  // namespace sightline
