#include "plan/stage_work.h"

#include "base/log.h"

#include <algorithm>
#include <sys/resource.h>

namespace sightline {

namespace {

constexpr size_t kFirstSteps = 25, kMicroBatches = 8;  // kept for a probe

double processor_seconds() {
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(use.ru_utime) + seconds(use.ru_stime);
}

void add_batch(StageWork& work, const Batch& batch, const StageCounters& counters) {
  const BatchWork cost = work_of(batch);
  work.keys += static_cast<double>(batch.plan.num_keys());
  work.gathered_keys += static_cast<double>(cost.gathered_keys);
  work.scores += static_cast<double>(batch.plan.num_scores());
  work.padded_scores += static_cast<double>(cost.scores);
  work.micro_batches += 1;
  work.flops += counters.flops.of(cost);
  const ActivationBytes bytes = counters.activations.of(cost);
  if (bytes.total() > work.largest.total()) work.largest = bytes;
}

// Each micro-batch that is computed: one of words with nothing to predict is passed over.
void add_step(StageWork& work, LoadedStep step, const StageRecipe& stage,
              const StageCounters& counters) {
  if (stage.objective == Objective::answers) {
    std::erase_if(step.micro_batches,
                  [](const Batch& batch) { return batch.num_predictions() == 0; });
  }
  for (const Batch& batch : step.micro_batches) add_batch(work, batch, counters);
  work.steps += 1;
  work.samples += static_cast<double>(step.num_samples);
  work.tokens += static_cast<double>(step.num_rows);
  work.images += static_cast<double>(step.num_images);
  work.predictions += static_cast<double>(step.num_predictions);
  work.skipped = step.skipped;
  if (work.first.size() == kFirstSteps) return;
  step.micro_batches.resize(std::min(step.micro_batches.size(), kMicroBatches));
  work.first.push_back(std::move(step));
}

void scale(StageWork& work, double factor) {
  for (double* sum : {&work.samples, &work.steps, &work.micro_batches, &work.tokens, &work.images,
                      &work.predictions, &work.keys, &work.gathered_keys, &work.scores,
                      &work.padded_scores, &work.reading_seconds}) {
    *sum *= factor;
  }
  work.flops = work.flops.scaled(factor);
}

// Adds up steps; gives back the share of the stage that they are.
double read_steps(StageWork& work, const LoaderOptions& options, const StageRecipe& stage,
                  const StageCounters& counters, int64_t samples) {
  Loader loader(options);
  Progress progress;
  double done = 0;
  while (auto step = loader.next()) {
    done = step->progress_after;
    add_step(work, std::move(*step), stage, counters);
    progress.update(
        fmt::format("stage {}: {:.0f} samples, {:.0f} %", stage.name, work.samples, 100 * done));
    if (stage.max_steps > 0 && work.steps >= static_cast<double>(stage.max_steps)) return 1;
    if (samples > 0 && work.samples >= static_cast<double>(samples)) break;
  }
  if (stage.max_steps == 0 || done >= 1) return done;
  // max_steps may end the stage before its data do.
  return std::max(done, work.steps / static_cast<double>(stage.max_steps));
}

}  // namespace

StageWork stage_work(const LoaderOptions& options, const StageRecipe& stage,
                     const StageCounters& counters, int64_t samples) {
  StageWork work;
  const double start = processor_seconds();
  const double done = read_steps(work, options, stage, counters, samples);
  work.reading_seconds = processor_seconds() - start;
  if (done > 0 && done < 1) {
    work.looked_at = done;
    scale(work, 1 / done);
  }
  work.optimizer_flops = work.steps * counters.flops.optimizer_step();
  return work;
}

}  // namespace sightline
