#pragma once
// What run.jsonl tells, in memory: every step and evaluation of a run, over all its sessions. A
// step told twice (by a session that was killed and the one that went on) counts as told last.

#include "base/json.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace sightline {

struct RunStep {
  int64_t step = 0;  // from 1, over all stages
  std::string stage;
  double progress = 0;  // of the stage, 0 to 1
  double loss = 0;      // NaN where it was none
  double lr_factor = 0;
  double gradient_norm = 0;
  std::map<std::string, double> gradient_norms;  // by part
  double tokens = 0, images = 0, samples = 0;
  double skipped = 0;
  double seconds = 0;
  double waited = 0;                            // seconds of these, for data
  double waited_for_ranks = 0, exchanging = 0;  // likewise, of rank 0; 0 on one rank
  double peak_memory = 0;                       // MiB
};

struct RunEvaluation {
  int64_t step = 0;  // behind which it was
  std::map<std::string, double> scores;
};

// Consecutive steps of one stage.
struct RunStage {
  std::string name;
  std::span<const RunStep> steps;  // at least one
};

class RunRecord {
 public:
  explicit RunRecord(std::filesystem::path run_folder) : file_(run_folder / "run.jsonl") {}

  // Reads what has been written since. A last line without its end is left: it is being written, or
  // the program was killed then. Any other line that is none, lacks a key or leaves out a step is
  // an Error naming file and line, as is a file that is not there.
  void read_on();

  const std::vector<RunStep>& steps() const { return steps_; }
  const std::vector<RunEvaluation>& evaluations() const { return evaluations_; }
  std::vector<RunStage> stages() const;

 private:
  void take(const Json& line, const std::string& where);
  void take_step(const Json& line, const std::string& where);

  std::filesystem::path file_;
  size_t bytes_read_ = 0;
  int64_t lines_read_ = 0;
  double waited_ = 0;  // as told last: the loader's sum
  std::vector<RunStep> steps_;
  std::vector<RunEvaluation> evaluations_;
};

}  // namespace sightline
