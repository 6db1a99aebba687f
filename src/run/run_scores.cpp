#include "run/run_scores.h"

#include "base/error.h"

#include <algorithm>
#include <array>

namespace sightline {

namespace fs = std::filesystem;

namespace {

TaskScores read_scores(const fs::path& file, int64_t step) {
  const std::string source = file.string();
  const Json json = read_json(file);
  TaskScores result{.step = step, .task = json_get<std::string>(json, "task", source)};
  result.count = json_get<int64_t>(json, "count", source);
  const auto rows = json_get<Json>(json, "scores", source);
  const auto model = json_get<Json>(rows, "model", source);
  for (const auto& [name, value] : model.items()) {
    if (value.is_number()) result.scores[name].value = value.get<double>();
  }
  if (!model.contains("intervals")) return result;
  for (const auto& [name, interval] : model["intervals"].items()) {
    const auto ends = json_get<std::array<double, 2>>(model["intervals"], name.c_str(), source);
    ScoreAndInterval& score = result.scores[name];
    score.low = ends[0];
    score.high = ends[1];
    score.has_interval = true;
  }
  return result;
}

}  // namespace

fs::path evaluation_folder(const fs::path& run, int64_t step) {
  return run / "evaluations" / fmt::format("step-{:08}", step);
}

std::vector<TaskScores> read_task_scores(const fs::path& run, const RunRecord& record) {
  std::vector<TaskScores> all;
  for (const RunEvaluation& evaluation : record.evaluations()) {
    const fs::path folder = evaluation_folder(run, evaluation.step);
    if (!fs::exists(folder)) continue;
    std::vector<fs::path> tasks;
    for (const auto& each : fs::directory_iterator(folder)) {
      if (fs::exists(each.path() / "scores.json")) tasks.push_back(each.path());
    }
    std::ranges::sort(tasks);
    for (const fs::path& task : tasks) {
      all.push_back(read_scores(task / "scores.json", evaluation.step));
    }
  }
  return all;
}

std::string headline_score(const TaskScores& scores) {
  for (const char* name : {"CIDEr", "vqa_accuracy", "exact_match", "accuracy"}) {
    if (scores.scores.contains(name)) return name;
  }
  return scores.scores.empty() ? "" : scores.scores.begin()->first;
}

}  // namespace sightline
