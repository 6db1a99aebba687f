#include "evaluate/baselines.h"

#include "base/commonest.h"
#include "base/error.h"
#include "base/log.h"
#include "evaluate/cases.h"
#include "tensor/device.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <optional>

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/matmul.h>

namespace sightline {
namespace {

constexpr size_t kPicturesAtOnce = 32;

// The neighbours as cases of the same kind of task.
std::vector<TaskCase> neighbours_of(const TaskRecipe& task, const Recipe& recipe) {
  if (task.neighbours.empty()) {
    fail_usage(
        "[task.{}]: all baselines but \"blind\" need neighbours = \"DATA\", "
        "the [data.*] table whose answers they give back",
        task.name);
  }
  TaskRecipe other = task;
  other.data = task.neighbours;
  return cases_of(other, recipe, /*limit=*/0);
}

// The commonest of the neighbours' answers that have the same `key` as a prediction, or of all
// where none has it; or where there is no key.
using KeyOf = std::function<std::string(const Prediction&)>;
void answer_commonest(const std::vector<TaskCase>& neighbours, const KeyOf& key,
                      TaskResult& result) {
  std::vector<std::string> all;
  std::map<std::string, std::vector<std::string>> by_key;
  for (const TaskCase& each : neighbours) {
    const std::vector<std::string>& references = each.prediction.references;
    std::ranges::copy(references, std::back_inserter(all));
    if (key) std::ranges::copy(references, std::back_inserter(by_key[key(each.prediction)]));
  }
  const std::string& overall = commonest(all);
  std::map<std::string, std::string> answers;
  for (const auto& [of, given] : by_key) answers[of] = commonest(given);
  for (Prediction& prediction : result.predictions) {
    const auto same = key ? answers.find(key(prediction)) : answers.end();
    prediction.text = same == answers.end() ? overall : same->second;
  }
}

// "" where the neighbours' answers can be given without the model.
std::string why_not_baseline(std::string_view name, TaskKind kind) {
  const bool captions = kind == TaskKind::caption;
  if (name == "frequent" || (name == "nearest" && captions)) return "";
  if ((name == "majority" || name == "majority_of_kind") && !captions) return "";
  if (name == "nearest") return "is for captions; leave it out of a task of questions";
  if (name.starts_with("majority")) return "is for questions; leave it out of a task of captions";
  return "is not known (known: frequent, majority, majority_of_kind, nearest, blind)";
}

// Mean patch features of each case's first picture, of length one: [cases, D].
at::Tensor features_of(const Bundle& bundle, const std::vector<TaskCase>& cases,
                       const std::string& what, ShowProgress show) {
  const at::NoGradGuard no_grad;
  std::optional<Progress> progress;
  if (show == ShowProgress::yes) progress.emplace();
  std::vector<at::Tensor> parts;
  for (size_t first = 0; first < cases.size(); first += kPicturesAtOnce) {
    std::vector<ImageSource> images;
    for (size_t i = first; i < std::min(first + kPicturesAtOnce, cases.size()); ++i) {
      check(!cases[i].images.empty(), "{}: no picture, so the baseline \"nearest\" cannot be had",
            cases[i].prediction.where);
      images.push_back(cases[i].images.front());
    }
    const at::Tensor pixels = on_device(
        pixels_of(images, *bundle.processor).to(bundle.model->dtype()), bundle.model->device());
    const at::Tensor mean_ID =
        bundle.model->vision().forward(pixels).to(at::kFloat).mean(at::IntArrayRef{1});
    parts.push_back(mean_ID / at::linalg_vector_norm(mean_ID, 2, at::IntArrayRef{1}, true));
    if (progress) {
      progress->update(
          fmt::format("{}: {} of {} pictures", what, first + images.size(), cases.size()));
    }
  }
  return at::cat(parts);
}

void answer_nearest(const Bundle& bundle, const std::vector<TaskCase>& cases,
                    const std::vector<TaskCase>& neighbours, ShowProgress show,
                    TaskResult& result) {
  check(bundle.model->config().vision.has_value(),
        "[task.{}]: the baseline \"nearest\" needs a model with a vision part", result.task);
  const at::Tensor near_ND = features_of(bundle, neighbours, "neighbours", show);
  const at::Tensor own_CD = features_of(bundle, cases, "nearest", show);
  const at::Tensor best_C = at::matmul(own_CD, near_ND.t()).argmax(1).cpu().contiguous();
  for (size_t c = 0; c < cases.size(); ++c) {
    const int64_t nearest = best_C.const_data_ptr<int64_t>()[c];
    result.predictions[c].text = neighbours[nearest].prediction.references.front();
  }
}

}  // namespace

TaskResult run_baseline(const std::string& name, const Bundle& bundle, const TaskRecipe& task,
                        const Recipe& recipe, const TaskOptions& options) {
  if (name == "blind") {
    TaskOptions blind = options;
    blind.pictures = Pictures::blank;
    return run_task(bundle, task, recipe, blind);
  }
  if (const std::string problem = why_not_baseline(name, task.kind); !problem.empty()) {
    fail_usage("[task.{}]: the baseline \"{}\" {}", task.name, name, problem);
  }
  const std::vector<TaskCase> cases = cases_of(task, recipe, options.limit);
  TaskResult result = describe(task, recipe, cases, name);
  result.decoding = "none";
  const std::vector<TaskCase> neighbours = neighbours_of(task, recipe);
  if (name == "nearest") {
    answer_nearest(bundle, cases, neighbours, options.progress, result);
  } else if (name == "majority_of_kind") {
    answer_commonest(
        neighbours, [](const Prediction& each) { return each.kind; }, result);
  } else if (name == "frequent" && task.kind == TaskKind::question) {
    answer_commonest(
        neighbours, [](const Prediction& each) { return each.prompt; }, result);
  } else {
    answer_commonest(neighbours, nullptr, result);
  }
  score(result);
  return result;
}

std::vector<TaskResult> run_with_baselines(const Bundle& bundle, const TaskRecipe& task,
                                           const Recipe& recipe, const TaskOptions& options) {
  std::vector<TaskResult> results;
  for (const char* name : {"frequent", "majority", "majority_of_kind", "nearest", "blind"}) {
    if (std::find(task.baselines.begin(), task.baselines.end(), name) == task.baselines.end()) {
      continue;
    }
    results.push_back(run_baseline(name, bundle, task, recipe, options));
  }
  TaskOptions real = options;
  real.pictures = Pictures::real;
  results.push_back(run_task(bundle, task, recipe, real));
  return results;
}

}  // namespace sightline
