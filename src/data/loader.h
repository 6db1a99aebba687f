#pragma once
// The stream of optimizer steps of a stage: mixture -> tokens -> packing -> pictures -> batches,
// prepared ahead by threads of its own. The order is by ticket, never by who finishes first, so the
// same recipe gives the same steps on any number of workers; and every step carries the state from
// which the stream goes on after it.
//
// A step takes micro-batches until it has `step_tokens` real rows; the stage's last may be smaller.
// On several ranks the stream and its packing are the whole run's, on each; a rank then makes the
// batches that are dealt to it (data/deal.h), so a step holds the same samples on any number, and
// opens their pictures alone, where no bad sample is to be passed over.
// Every conversation has a token to predict (SampleEncoder sees to it), so every step has. A bad
// sample is an unreadable picture, a conversation longer than `max_rows`, a sample that does not
// fit into `micro_tokens`, or one with nothing to learn. It is found before packing, by the
// workers, in the order of the draws: under on_bad_sample = "fail" an Error naming file and row,
// under "skip" counted and listed. Waiting samples keep their pictures in memory as 8-bit squares.

#include "base/json.h"
#include "batch/batch.h"
#include "batch/compose.h"
#include "data/dataset.h"
#include "data/feature_store.h"
#include "data/mixture.h"
#include "image/augment.h"
#include "image/processor.h"
#include "recipe/recipe.h"
#include "sample/encoder.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sightline {

// A step. All but the batches themselves speak of the whole step, over all ranks.
struct LoadedStep {
  std::vector<Batch> micro_batches;  // this rank's
  std::vector<int64_t> numbers;      // theirs, among all of the step's; empty: 0, 1, 2, ...
  int64_t num_predictions = 0;       // the loss's divisor
  int64_t num_rows = 0;              // real tokens, image rows included
  int64_t num_images = 0;
  int64_t num_samples = 0;
  double progress_before = 0;  // of the stage, 0 .. 1: what the schedule goes by
  double progress_after = 0;
  int64_t skipped = 0;  // bad samples passed over so far, under on_bad_sample = "skip"
  Json state_after;     // restore() of a new loader goes on from here
};

struct LoaderEntry {
  const Dataset* dataset = nullptr;
  double weight = 1.0;
  double repeats = MixtureStream::kNoBound;
  CaptionsMode captions = CaptionsMode::all;
  OnBadSample on_bad_sample = OnBadSample::fail;
  AugmentOptions augment;  // not with a store, which holds each picture once
};

// What decides how long a micro-batch takes.
struct MicroBatchWork {
  int64_t rows = 0, images = 0, predictions = 0;
  int64_t scores = 0;  // (query, key) pairs of attention, about
};
using MicroBatchCost = std::function<double(const MicroBatchWork& work)>;

struct LoaderOptions {
  std::vector<LoaderEntry> entries;
  const SampleEncoder* encoder = nullptr;  // null for Objective::reconstruct: pictures alone
  ComposeOptions compose;
  int64_t patches_per_image = 0;  // reconstruct: rows that a picture counts for
  double epochs = 1.0;
  int64_t step_tokens = 16384;
  int64_t micro_tokens = 8192;
  int64_t look_ahead = 256;  // samples waiting to be packed; more where those would
                             // not fill a micro-batch
  int64_t max_rows = 0;      // longest conversation the model takes; 0: no bound
  int64_t workers = 1;
  int64_t prefetch = 3;  // steps prepared ahead
  uint64_t seed = 0;
  std::optional<Processor> processor;   // how pictures become pixels; with neither this nor
  const FeatureStore* store = nullptr;  // a store (features for pixels) none is opened
  int64_t rank = 0, ranks = 1;          // of the run: a step's micro-batches are dealt to its ranks
  MicroBatchCost cost;                  // by what they are dealt evenly; empty: rows
  std::string skipped_log;              // file to which skipped samples are appended, each once;
                                        // empty: the log
};

class Loader {
 public:
  // What `options` points to must outlive the loader. A `state` that does not fit is an Error.
  explicit Loader(LoaderOptions options, const Json* state = nullptr);
  // Prompt: what was prepared ahead is dropped.
  ~Loader();

  // The next step, or nothing at the stage's end. An error met by a worker is thrown here.
  std::optional<LoadedStep> next();
  // Seconds that next() has waited so far.
  double seconds_waited() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Reads and prepares the pictures of one batch, as the loader's workers do: pixels, or features
// from `store`. For evaluation and generation. An unreadable picture is an Error naming it.
void load_pictures(Batch& batch, const Processor& processor, const FeatureStore* store);

// An image's bytes, from its file or memory. A store knows the image by their content_key().
std::string read_image_bytes(const ImageSource& source);

}  // namespace sightline
