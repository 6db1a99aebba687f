#pragma once
// A rank's share of a checkpoint, written by a thread of its own while training goes on: training
// waits for a copy in memory and not for the disk. Ranks do not call one another for it: rank 0
// looks in the folder until all shares are there, then ends the checkpoint.

#include "train/checkpoint.h"

#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <stop_token>

namespace sightline {

class BackgroundCheckpoint {
 public:
  // Returns when the share is copied; a rank that writes nothing gives none. `writer` and `commit`,
  // which ends the checkpoint, are rank 0's; `commit` runs on the thread.
  BackgroundCheckpoint(const std::filesystem::path& staging, const CheckpointShare& share,
                       std::unique_ptr<CheckpointWriter> writer,
                       std::function<void(CheckpointWriter&)> commit);
  // Waits for this rank's files, but not for other ranks': the checkpoint is given up then.
  ~BackgroundCheckpoint();
  BackgroundCheckpoint(const BackgroundCheckpoint&) = delete;
  BackgroundCheckpoint& operator=(const BackgroundCheckpoint&) = delete;

  bool is_done() const;
  // Waits until all is written, and throws what went wrong.
  void finish();

 private:
  std::stop_source gives_up_;
  std::future<void> writing_;
};

}  // namespace sightline
