#pragma once
// The cases of a task: what is asked about which pictures, and what would be right. Shared by the
// model's run and the baselines, so that all answer the same.

#include "evaluate/task.h"
#include "image/processor.h"
#include "sample/example.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

namespace sightline {

struct TaskCase {
  std::vector<ImageSource> images;
  std::vector<Turn> prompt;  // up to where the assistant is to speak
  Prediction prediction;     // all but what is answered
};

// The first `limit` examples' cases, in order; 0: all. An example without an answer to compare with
// is an Error naming it.
std::vector<TaskCase> cases_of(const TaskRecipe& task, const Recipe& recipe, int64_t limit);

// One example's cases of one task kind; their ids are 0.
std::vector<TaskCase> cases_of(const Example& example, TaskKind kind);

// A result with the task's texts filled in and no answers yet.
TaskResult describe(const TaskRecipe& task, const Recipe& recipe, std::span<const TaskCase> cases,
                    std::string who);

// Fills count, scores and kinds from the predictions.
void score(TaskResult& result);

// Normalised pixels [I, 3, h, w] in fp32 of all the images, in order; undefined for none.
at::Tensor pixels_of(std::span<const ImageSource> images, const Processor& processor);

}  // namespace sightline
