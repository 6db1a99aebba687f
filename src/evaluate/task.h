#pragma once
// A task is data + prompt + decoding + metric: a model answers for every example of a data set and
// the answers are scored against what the data says.
//
//   caption   one case an example: the prompt is the first conversation's, up to its last answer;
//             the references are the last answers of all conversations with that prompt.
//             Scores: Bleu_1 .. Bleu_4, ROUGE_L and CIDEr as coco-caption computes them, and
//             CIDEr_original (metric/cider.h).
//   question  one case a conversation; the references are all answers that people gave, where the
//             data has several, else the last answer.
//             Scores: those of metric/answer_scores.h that say something about the data, over all
//             questions and by their kinds.

#include "bundle/bundle.h"
#include "metric/bootstrap.h"
#include "recipe/recipe.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace sightline {

struct Score {
  std::string name;
  double value = 0.0;
  std::optional<Interval> interval;  // 95 %, by resamples of the examples (scoring.h)
};

struct Prediction {
  int64_t id = 0;      // the case's number, from 0; coco-caption's image_id
  std::string where;   // "file:row" of the example
  std::string kind;    // of the question; may be empty
  std::string prompt;  // the user's last words
  std::string text;    // what was answered
  std::vector<std::string> references;
  double log_probability = 0.0;  // of the answer; 0 where no model gave it
};

struct KindScore {
  std::string kind;
  int64_t count = 0;
  std::vector<Score> scores;  // of these the first stands in tables; without intervals
};

struct TaskResult {
  std::string task;
  TaskKind kind = TaskKind::caption;
  std::string who;          // model, or a baseline's name
  std::string data, split;  // split: "all" where the data has none
  std::string prompt;       // the user's words where all cases share them, else ""
  std::string decoding;     // "greedy, at most 32 tokens"
  int64_t count = 0;        // cases
  std::vector<Score> scores;
  std::vector<KindScore> kinds;  // in alphabetical order; empty where no example has a kind
  std::vector<Prediction> predictions;
};

enum class Pictures {
  real,
  blank,  // every pixel is zero after normalisation: what the model says without looking
};

enum class ShowProgress { no, yes };

// Ranks that answer a task together: each the batches that fall to it in turn, the same batches as
// one rank's. What they answered is exchanged after every batch.
struct TaskShare {
  int64_t rank = 0, ranks = 1;
  // Every rank's text, by rank; called by all together.
  std::function<std::vector<std::string>(const std::string&)> gather;
};

struct TaskOptions {
  int64_t limit = 0;  // first N examples; 0: all (a task's own limit is the trainer's to pass on)
  Pictures pictures = Pictures::real;
  ShowProgress progress = ShowProgress::yes;  // on stderr
  TaskShare share;                            // all ranks have all answers, rank 0 the scores
};

// Answers and scores. `recipe` holds the task's [data.*] table. No case at all is an Error.
TaskResult run_task(const Bundle& bundle, const TaskRecipe& task, const Recipe& recipe,
                    const TaskOptions& options);

}  // namespace sightline
