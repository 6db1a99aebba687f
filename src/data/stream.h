#pragma once
// Inside data/: the stream of a stage's samples and its packing into steps. The stream hands draws
// to the workers some way ahead and takes their results back in the order of the draws; what it
// reports as its state knows only of what was taken back, so it does not depend on the workers.

#include "base/json.h"
#include "data/loader.h"
#include "data/mixture.h"
#include "data/packer.h"
#include "data/prepare.h"
#include "data/worker_pool.h"

#include <cstdint>
#include <deque>
#include <future>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace sightline {

// Bad samples, counted and listed in a file (in the log where no file is named), each line once:
// lines that are there already, from before a resume, are not written again.
class SkippedSamples {
 public:
  explicit SkippedSamples(std::string file);
  void add(const std::string& problem);

  int64_t count = 0;

 private:
  std::string file_;
  std::set<std::string> listed_;
};

class SampleStream {
 public:
  // `options` and `pool` must outlive the stream. `state` may be null: the stage's start.
  SampleStream(const LoaderOptions& options, WorkerPool& pool, const Json* state);

  // The next good sample, or nothing when the mixture is spent.
  std::optional<PreparedSample> next();

  // Share of the stage that is done when all that next() gave but `waiting` samples is used.
  double progress(size_t waiting) const;
  int64_t skipped() const { return skipped_.count; }
  bool all_were_bad() const { return drawn_ > 0 && static_cast<uint64_t>(skipped()) == drawn_; }

  // The state before the samples `waiting`, which a restored stream gives again first.
  Json state(const std::vector<Draw>& waiting) const;

 private:
  void restore(const Json& state);
  std::optional<Draw> next_to_issue();
  void issue();
  void count_taken();

  const LoaderOptions& options_;
  WorkerPool& pool_;
  MixtureStream issued_, taken_;  // the same sequence of draws, the first some way ahead
  std::deque<Draw> replayed_;     // drawn before the restored state was saved, not yet taken back
  size_t replays_issued_ = 0;
  std::deque<std::future<PreparedSample>> in_flight_;
  uint64_t drawn_ = 0;  // samples taken back, bad ones and those before a resume included
  SkippedSamples skipped_;
};

// A step before its batches are made.
struct PackedStep {
  std::vector<std::vector<PreparedSample>> micro_batches;
  LoadedStep summary;  // all but micro_batches and their numbers
};

class StepStream {
 public:
  StepStream(const LoaderOptions& options, WorkerPool& pool, const Json* state);
  // Nothing at the stage's end. A stage of bad samples alone is an Error.
  std::optional<PackedStep> next();

 private:
  void fill_waiting();
  std::vector<PreparedSample> take_micro_batch_samples();
  std::vector<Draw> waiting_draws() const;

  const LoaderOptions& options_;
  SampleStream samples_;
  std::deque<PackItem> waiting_;
  int64_t waiting_rows_ = 0;
  std::unordered_map<uint64_t, PreparedSample> waiting_samples_;  // by the item's id
  uint64_t next_id_ = 0;
  double progress_ = 0;
};

}  // namespace sightline
