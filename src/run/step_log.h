#pragma once
// What a run tells of its steps: a line each in run.jsonl, the same for TensorBoard, and a line
// on the terminal.

#include "base/log.h"
#include "run/event_log.h"
#include "run/run_log.h"
#include "train/checkpoint.h"
#include "train/stage_trainer.h"

#include <filesystem>
#include <map>
#include <string>

namespace sightline {

class StepLog {
 public:
  // Goes on behind step `last_step` of the run folder's run.jsonl.
  StepLog(const std::filesystem::path& folder, int64_t last_step, const Recipe& recipe)
      : file_(folder / "run.jsonl", last_step), events_(folder, last_step, recipe) {}

  void begin_stage(std::string name);
  // After a step: where the run stands then, and what its data did. Returns the step's seconds.
  double add(const StepReport& report, const RunState& state, int64_t skipped,
             double waited_for_data);
  void add_evaluation(int64_t step, const std::map<std::string, double>& scores);
  // Ends the terminal's line, before other long work.
  void pause() { progress_.finish(); }
  // Time from here on is the next step's.
  void start_clock() { step_started_ = seconds_now(); }

 private:
  void append(const Json& line);
  void show(const StepReport& report, int64_t stage_step);

  RunLog file_;
  EventLog events_;
  Progress progress_;
  std::string stage_;
  double step_started_ = 0;
  // Of the progress line: the first step is not timed.
  double stage_started_ = 0, start_progress_ = -1, smooth_loss_ = 0;
  int64_t rows_ = 0;
};

}  // namespace sightline
