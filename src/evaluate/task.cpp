#include "evaluate/task.h"

#include "base/error.h"
#include "base/log.h"
#include "evaluate/answer.h"
#include "evaluate/cases.h"

#include <optional>

namespace sightline {

TaskResult run_task(const Bundle& bundle, const TaskRecipe& task, const Recipe& recipe,
                    const TaskOptions& options) {
  const std::vector<TaskCase> cases = cases_of(task, recipe, options.limit);
  const bool blind = options.pictures == Pictures::blank;
  TaskResult result = describe(task, recipe, cases, blind ? "blind" : "model");

  std::vector<Question> questions;
  for (const TaskCase& each : cases) {
    questions.push_back({each.images, each.prompt, each.prediction.where});
  }
  const AnswerOptions answer_options{.decoding = task.decoding, .pictures = options.pictures};
  std::optional<Progress> progress;
  if (options.progress == ShowProgress::yes) progress.emplace();
  const double start = seconds_now();
  answer(bundle, questions, answer_options, [&](size_t number, std::span<const Answer> answers) {
    const Answer& best = answers.front();
    result.predictions[number].text = best.text;
    result.predictions[number].log_probability = best.generated.log_probability;
    if (!progress) return;
    const auto done = static_cast<double>(number + 1);
    progress->update(fmt::format("{}{}: {} of {}, {:.1f}/s", task.name, blind ? ", blind" : "",
                                 number + 1, cases.size(), done / (seconds_now() - start)));
  });
  score(result);
  return result;
}

}  // namespace sightline
