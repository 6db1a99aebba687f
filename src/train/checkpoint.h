#pragma once
// Checkpoints of a run: all that is needed to go on to the bit, taken between optimizer steps.
//
//   <checkpoint>/ state.json            where the run stood: stage, steps, data stream
//                 weights.safetensors   every parameter, as the model holds it
//                 training.safetensors  within a stage: moments, averages and what rounding left of
//                                       the weights that it trains; where ranks share them,
//                                       training-00001-of-00004 and so on, each rank's own. Any
//                                       number of ranks, sharing or not, goes on from either.
//
// A checkpoint is written aside, synced and renamed: whatever instant the program is killed at, one
// that is there is whole.

#include "base/file.h"
#include "base/json.h"
#include "tensor/param_map.h"
#include "train/optimizer.h"
#include "train/stored_tensor.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace sightline {

struct RunState {
  int64_t step = 0;        // optimizer steps done, over all stages
  int64_t stage = 0;       // index of the stage that is to go on
  int64_t stage_step = 0;  // of its steps, done
  Json loader;             // the stage's data stream; null at a stage's start
  Json notes;              // the caller's own: best score, seconds spent
};

// What one rank writes of a checkpoint.
struct CheckpointShare {
  ParamMap weights;   // rank 0's: all parameters
  ParamMap training;  // StageTrainer::state(): all of it (rank 0's), or that of the rank's shard
  Shard shard;        // of the training

  // One that stays as it is while training goes on: of all that trains, and of what is not in the
  // host's memory, a copy there.
  CheckpointShare copied() const;
};

// To a checkpoint's staging folder, where it may also be told whose share is there.
void write_share(const std::filesystem::path& staging, const CheckpointShare& share);
bool has_training_of_all(const std::filesystem::path& staging, int64_t ranks);

// One that is being written, by rank 0: all ranks write their shares to staging(), then commit()
// ends it; without that it is removed.
class CheckpointWriter {
 public:
  explicit CheckpointWriter(const std::filesystem::path& checkpoint);

  const std::filesystem::path& staging() const { return writer_.staging(); }
  void commit(const RunState& state);

 private:
  FolderWriter writer_;
};

// One between stages, whose weights are those of the checkpoint `other`: the same file under
// another name where the file system can do that, else a copy.
void write_checkpoint(const std::filesystem::path& checkpoint, const RunState& state,
                      const std::filesystem::path& other);

RunState read_run_state(const std::filesystem::path& checkpoint);
void restore_weights(const std::filesystem::path& checkpoint, ParamMap& params);
StoredTensor training_state(const std::filesystem::path& checkpoint);

// The folder of a run's checkpoints, "step-00000120" by their steps.
class CheckpointFolder {
 public:
  CheckpointFolder(std::filesystem::path folder, int64_t keep);

  std::filesystem::path path_of(const RunState& state) const;
  // Removes the older ones beyond `keep`.
  void prune() const;
  // Path of the newest, or nothing.
  std::optional<std::filesystem::path> newest() const;

 private:
  std::vector<std::filesystem::path> all() const;  // oldest first

  std::filesystem::path folder_;
  int64_t keep_;
};

}  // namespace sightline
