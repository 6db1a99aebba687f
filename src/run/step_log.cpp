#include "run/step_log.h"

#include <algorithm>

namespace sightline {

void StepLog::begin_stage(std::string name) {
  stage_ = std::move(name);
  start_progress_ = -1;
  start_clock();
}

double StepLog::add(const StepReport& report, const RunState& state, int64_t skipped,
                    double waited_for_data) {
  const double seconds = seconds_now() - step_started_;
  start_clock();
  const MemoryUse memory = memory_use();
  append({{"step", state.step},
          {"stage", stage_},
          {"stage_step", state.stage_step},
          {"progress", report.progress},
          {"loss", report.loss},
          {"lr_factor", report.factor},
          {"gradient_norm", report.gradient.all},
          {"gradient_norms", report.gradient.parts},
          {"update_norm", report.update.all},
          {"update_norms", report.update.parts},
          {"tokens", report.rows},
          {"predictions", report.predictions},
          {"images", report.images},
          {"samples", report.samples},
          {"micro_batches", report.micro_batches},
          {"skipped", skipped},
          {"seconds", seconds},
          {"tokens_per_second", static_cast<double>(report.rows) / seconds},
          {"images_per_second", static_cast<double>(report.images) / seconds},
          {"waited_for_data", waited_for_data},
          {"waited_for_ranks", report.exchanged.waited},
          {"exchanging", report.exchanged.seconds - report.exchanged.waited},
          {"exchanged_mib", report.exchanged.bytes / (1 << 20)},
          {"memory_mib", memory.now_mib},
          {"peak_memory_mib", memory.peak_mib}});
  show(report, state.stage_step);
  return seconds;
}

void StepLog::add_evaluation(int64_t step, const std::map<std::string, double>& scores) {
  append({{"step", step}, {"evaluation", scores}});
  std::string text;
  for (const auto& [name, value] : scores) text += fmt::format(" {} {:.4f}", name, value);
  log("after step {}:{}", step, text);
}

void StepLog::append(const Json& line) {
  file_.append(line);
  events_.add(line);
}

void StepLog::show(const StepReport& report, int64_t stage_step) {
  if (start_progress_ < 0) {
    start_progress_ = report.progress;
    smooth_loss_ = report.loss;
    stage_started_ = seconds_now();
    rows_ = -report.rows;
  }
  rows_ += report.rows;
  smooth_loss_ += 0.1 * (report.loss - smooth_loss_);
  const double done = report.progress - start_progress_;
  const double elapsed = seconds_now() - stage_started_;
  const std::string left =
      done > 0 ? format_duration(elapsed / done * (1.0 - report.progress)) : "?";
  progress_.update(
      fmt::format("{} {:3.0f}% step {} loss {:.3f} |g| {:.2f} {:.0f} tokens/s, {} left", stage_,
                  100 * report.progress, stage_step, smooth_loss_, report.gradient.all,
                  static_cast<double>(rows_) / std::max(1e-9, elapsed), left));
}

}  // namespace sightline
