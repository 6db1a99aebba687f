#include "evaluate/task.h"

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "evaluate/answer.h"
#include "evaluate/cases.h"

#include <algorithm>
#include <optional>

namespace sightline {

namespace {

struct Answered {
  size_t number = 0;
  std::string text;
  double log_probability = 0;
};

std::string to_text(const std::vector<Answered>& answers) {
  Json list = Json::array();
  for (const Answered& each : answers) {
    list.push_back({each.number, each.text, each.log_probability});
  }
  return list.dump();
}

std::vector<Answered> answers_in(const std::string& text) {
  std::vector<Answered> answers;
  for (const Json& each : Json::parse(text)) {
    answers.push_back({each[0].get<size_t>(), each[1].get<std::string>(), each[2].get<double>()});
  }
  return answers;
}

// Calls `take` with every question's answer, whichever rank gave it.
void answer_together(const Bundle& bundle, std::span<const Question> questions,
                     const AnswerOptions& options, const TaskShare& share,
                     const std::function<void(const Answered&)>& take) {
  const auto batch = static_cast<size_t>(options.decoding.batch);
  const auto rank = static_cast<size_t>(share.rank), ranks = static_cast<size_t>(share.ranks);
  const Answerer answerer(bundle);
  for (size_t round = 0; round < questions.size(); round += ranks * batch) {
    const size_t first = std::min(round + rank * batch, questions.size());
    const size_t count = std::min(batch, questions.size() - first);
    std::vector<Answered> own;
    const auto keep = [&](size_t number, std::span<const Answer> answers) {
      const Answer& best = answers.front();
      own.push_back({first + number, best.text, best.generated.log_probability});
    };
    answerer.answer(questions.subspan(first, count), options, keep);
    for (const std::string& text : share.gather(to_text(own))) {
      for (const Answered& each : answers_in(text)) take(each);
    }
  }
}

}  // namespace

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
  const auto take = [&](const Answered& each) {
    result.predictions[each.number].text = each.text;
    result.predictions[each.number].log_probability = each.log_probability;
    if (!progress) return;
    const auto done = static_cast<double>(each.number + 1);
    progress->update(fmt::format("{}{}: {} of {}, {:.1f}/s", task.name, blind ? ", blind" : "",
                                 each.number + 1, cases.size(), done / (seconds_now() - start)));
  };
  if (options.share.ranks > 1) {
    answer_together(bundle, questions, answer_options, options.share, take);
  } else {
    answer(bundle, questions, answer_options, [&](size_t number, std::span<const Answer> answers) {
      take({number, answers.front().text, answers.front().generated.log_probability});
    });
  }
  if (options.share.rank == 0) score(result);
  return result;
}

}  // namespace sightline
