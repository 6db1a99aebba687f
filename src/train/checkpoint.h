#pragma once
// Checkpoints of a run: all that is needed to go on to the bit, taken between optimizer steps.
//
//   <folder>/step-00000120/  state.json            where the run stood: stage, steps, data stream
//                            weights.safetensors   every parameter, as the model holds it
//                            optimizer.safetensors masters and moments of what the stage trains
//
// A checkpoint is written aside, synced and renamed: whatever instant the program is killed at, the
// newest folder named step-* is whole.

#include "base/json.h"
#include "tensor/param_map.h"
#include "train/optimizer.h"

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

class CheckpointFolder {
 public:
  CheckpointFolder(std::filesystem::path folder, int64_t keep);

  // `optimizer` is null between stages. Older checkpoints beyond `keep` are removed.
  void save(const RunState& state, const ParamMap& params, const Optimizer* optimizer);

  // Path of the newest, or nothing.
  std::optional<std::filesystem::path> newest() const;
  RunState read_state(const std::filesystem::path& checkpoint) const;
  void restore_weights(const std::filesystem::path& checkpoint, ParamMap& params) const;
  void restore_optimizer(const std::filesystem::path& checkpoint, Optimizer& optimizer) const;

 private:
  std::vector<std::filesystem::path> all() const;  // oldest first

  std::filesystem::path folder_;
  int64_t keep_;
};

}  // namespace sightline
