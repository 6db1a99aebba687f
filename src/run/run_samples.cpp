#include "run/run_samples.h"

#include "base/error.h"
#include "run/run_scores.h"

#include <algorithm>

namespace sightline {

namespace fs = std::filesystem;

namespace {

constexpr size_t kSamples = 6;  // of a task

struct Occasion {
  std::string name;
  fs::path predictions;
};

bool is_over(const fs::path& run, const RunStage& stage, const RunRecord& record) {
  return stage.steps.back().step != record.steps().back().step || fs::exists(run / "model") ||
         fs::exists(run / "stages" / stage.name);
}

// After each stage, and the newest evaluation where a stage is under way.
std::vector<Occasion> occasions(const fs::path& run, const RunRecord& record,
                                const std::string& task) {
  std::vector<Occasion> all;
  for (const RunStage& stage : record.stages()) {
    const bool over = is_over(run, stage, record);
    int64_t step = stage.steps.back().step;
    if (!over) step = record.evaluations().back().step;
    if (step < stage.steps.front().step) continue;
    const fs::path file = evaluation_folder(run, step) / task / "predictions.json";
    if (!fs::exists(file)) continue;
    all.push_back({fmt::format("{} {} (step {})", over ? "after" : "in", stage.name, step), file});
  }
  return all;
}

// Tasks in the order of their names.
std::vector<std::string> evaluated_tasks(const fs::path& run, const RunRecord& record) {
  std::vector<std::string> tasks;
  for (const TaskScores& each : read_task_scores(run, record)) tasks.push_back(each.task);
  std::ranges::sort(tasks);
  tasks.erase(std::unique(tasks.begin(), tasks.end()), tasks.end());
  return tasks;
}

Json read_predictions(const fs::path& file) {
  Json list = read_json(file);
  check(list.is_array() && !list.empty(), "{}: no list of predictions", file.string());
  return list;
}

const Json* case_of(const Json& predictions, int64_t id, const std::string& source) {
  for (const Json& each : predictions) {
    if (json_get<int64_t>(each, "image_id", source) == id) return &each;
  }
  return nullptr;
}

// Evenly over the cases, so that neighbours of one photograph are not all that is shown.
std::vector<int64_t> chosen_cases(const Json& predictions, const std::string& source) {
  std::vector<int64_t> ids;
  const size_t count = std::min(kSamples, predictions.size());
  for (size_t i = 0; i < count; ++i) {
    const Json& each = predictions[i * predictions.size() / count];
    ids.push_back(json_get<int64_t>(each, "image_id", source));
  }
  return ids;
}

Json to_json(const std::vector<SamplePictures>& samples) {
  Json list = Json::array();
  for (const SamplePictures& each : samples) {
    list.push_back({{"id", each.id}, {"pictures", each.pictures}});
  }
  return list;
}

// A task's entry of samples.json.
std::vector<SamplePictures> samples_from_json(const Json& list, const std::string& source) {
  std::vector<SamplePictures> samples;
  for (const Json& each : list) {
    samples.push_back({json_get<int64_t>(each, "id", source),
                       json_get<std::vector<std::string>>(each, "pictures", source)});
  }
  return samples;
}

std::vector<RunSample> samples_of(const std::string& task,
                                  const std::vector<SamplePictures>& chosen,
                                  const std::vector<Occasion>& when) {
  std::vector<RunSample> samples;
  for (const SamplePictures& each : chosen)
    samples.push_back({.task = task, .pictures = each.pictures});
  for (const Occasion& occasion : when) {
    const std::string source = occasion.predictions.string();
    const Json predictions = read_predictions(occasion.predictions);
    for (size_t i = 0; i < chosen.size(); ++i) {
      const Json* said = case_of(predictions, chosen[i].id, source);
      if (said == nullptr) continue;
      samples[i].answers.emplace_back(occasion.name,
                                      json_get<std::string>(*said, "caption", source));
      samples[i].prompt = json_get<std::string>(*said, "prompt", source);
      samples[i].references = json_get<std::vector<std::string>>(*said, "references", source);
    }
  }
  return samples;
}

}  // namespace

std::vector<RunSample> run_samples(const fs::path& run, const RunRecord& record,
                                   const Recipe& recipe, MakePictures make,
                                   std::vector<std::string>& problems) {
  const fs::path file = run / "samples.json";
  Json kept = fs::exists(file) ? read_json(file) : Json::object();
  std::vector<RunSample> samples;
  for (const std::string& task : evaluated_tasks(run, record)) {
    const std::vector<Occasion> when = occasions(run, record, task);
    if (when.empty()) continue;
    std::vector<SamplePictures> chosen;
    if (kept.contains(task)) {
      chosen = samples_from_json(kept[task], file.string());
    } else {
      const std::string source = when.front().predictions.string();
      const auto ids = chosen_cases(read_predictions(when.front().predictions), source);
      for (const int64_t id : ids) chosen.push_back({.id = id, .pictures = {}});
      if (make == MakePictures::yes) {
        try {
          chosen = sample_pictures(recipe, task, ids);
          kept[task] = to_json(chosen);
          write_json(file, kept);
        } catch (const Error& error) {
          problems.push_back(fmt::format("no pictures of task {}: {}", task, error.what()));
        }
      }
    }
    for (RunSample& each : samples_of(task, chosen, when)) samples.push_back(std::move(each));
  }
  return samples;
}

}  // namespace sightline
