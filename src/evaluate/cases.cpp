#include "evaluate/cases.h"

#include "base/error.h"
#include "batch/batch.h"
#include "data/dataset.h"
#include "data/loader.h"
#include "evaluate/scoring.h"
#include "recipe/decoding.h"

#include <ATen/ops/tensor.h>

namespace sightline {
namespace {

std::string last_words(std::span<const Turn> prompt) {
  return prompt.empty() ? std::string() : prompt.back().text;
}

bool same_prompt(std::span<const Turn> a, std::span<const Turn> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

std::span<const Turn> prompt_of(const std::vector<Turn>& conversation) {
  return std::span(conversation).first(conversation.size() - 1);
}

void check_answered(const Example& example) {
  check(!example.conversations.empty(), "{}: nothing is said, so there is nothing to score against",
        example.where);
  SL_ASSERT(example.references.size() == example.conversations.size(),
            "{}: {} references for {} conversations", example.where, example.references.size(),
            example.conversations.size());
  for (const auto& conversation : example.conversations) {
    check(!conversation.empty() && conversation.back().role == Role::assistant,
          "{}: a conversation does not end with an answer, so there is nothing to score against",
          example.where);
  }
}

TaskCase case_of(const Example& example, size_t conversation) {
  const auto prompt = prompt_of(example.conversations[conversation]);
  TaskCase result{.images = example.images, .prompt = {prompt.begin(), prompt.end()}};
  result.prediction.where = example.where;
  result.prediction.kind = example.kinds.empty() ? example.kind : example.kinds.at(conversation);
  result.prediction.prompt = last_words(prompt);
  result.prediction.references = {example.references[conversation]};
  if (!example.answers.empty()) result.prediction.references = example.answers.at(conversation);
  return result;
}

const DataRecipe& data_of(const TaskRecipe& task, const Recipe& recipe) {
  const auto found = recipe.data.find(task.data);
  if (found == recipe.data.end()) {
    fail_usage("[task.{}] reads data \"{}\", but the recipe has no [data.{}]", task.name, task.data,
               task.data);
  }
  return found->second;
}

}  // namespace

std::vector<TaskCase> cases_of(const Example& example, TaskKind kind) {
  check_answered(example);
  std::vector<TaskCase> cases;
  if (kind == TaskKind::question) {
    for (size_t c = 0; c < example.conversations.size(); ++c) cases.push_back(case_of(example, c));
    return cases;
  }
  cases.push_back(case_of(example, 0));
  for (size_t c = 1; c < example.conversations.size(); ++c) {
    if (same_prompt(cases[0].prompt, prompt_of(example.conversations[c]))) {
      cases[0].prediction.references.push_back(example.references[c]);
    }
  }
  return cases;
}

std::vector<TaskCase> cases_of(const TaskRecipe& task, const Recipe& recipe, int64_t limit) {
  const auto dataset = open_dataset(task.data, data_of(task, recipe));
  size_t examples = dataset->size();
  if (limit > 0) examples = std::min(examples, static_cast<size_t>(limit));
  std::vector<TaskCase> cases;
  for (size_t i = 0; i < examples; ++i) {
    for (TaskCase& each : cases_of(dataset->example(i), task.kind)) {
      each.prediction.id = static_cast<int64_t>(cases.size());
      cases.push_back(std::move(each));
    }
  }
  check(!cases.empty(), "[task.{}]: its data \"{}\" holds no example", task.name, task.data);
  return cases;
}

TaskResult describe(const TaskRecipe& task, const Recipe& recipe, std::span<const TaskCase> cases,
                    std::string who) {
  const DataRecipe& data = data_of(task, recipe);
  TaskResult result{.task = task.name, .kind = task.kind, .who = std::move(who)};
  result.data = task.data;
  result.split = data.split.empty() ? "all" : data.split;
  result.prompt = cases.front().prediction.prompt;
  for (const TaskCase& each : cases) {
    if (each.prediction.prompt != result.prompt) result.prompt.clear();
    result.predictions.push_back(each.prediction);
  }
  result.decoding = decoding_text(task.decoding);
  result.count = static_cast<int64_t>(cases.size());
  return result;
}

void score(TaskResult& result) {
  result.count = static_cast<int64_t>(result.predictions.size());
  result.scores = scores_of(result.kind, result.predictions);
  result.kinds.clear();
  if (result.kind == TaskKind::question) result.kinds = scores_by_kind(result.predictions);
}

at::Tensor pixels_of(std::span<const ImageSource> images, const Processor& processor) {
  if (images.empty()) return {};
  Batch batch;
  batch.images.assign(images.begin(), images.end());
  load_pictures(batch, processor, nullptr);
  return at::tensor(batch.pixels).view({batch.num_images(), 3, processor.size, processor.size});
}

}  // namespace sightline
