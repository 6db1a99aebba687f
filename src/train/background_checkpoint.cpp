#include "train/background_checkpoint.h"

#include <chrono>
#include <thread>
#include <utility>

namespace sightline {

namespace {

constexpr auto kBetweenLooks = std::chrono::milliseconds(50);

// False: given up.
bool wait_for_shares(const std::filesystem::path& staging, int64_t ranks,
                     const std::stop_token& gives_up) {
  while (!has_training_of_all(staging, ranks)) {
    if (gives_up.stop_requested()) return false;
    std::this_thread::sleep_for(kBetweenLooks);
  }
  return true;
}

}  // namespace

BackgroundCheckpoint::BackgroundCheckpoint(const std::filesystem::path& staging,
                                           const CheckpointShare& share,
                                           std::unique_ptr<CheckpointWriter> writer,
                                           std::function<void(CheckpointWriter&)> commit) {
  writing_ = std::async(std::launch::async,
                        [staging, copy = share.copied(), writer = std::move(writer),
                         commit = std::move(commit), gives_up = gives_up_.get_token()]() mutable {
                          write_share(staging, copy);
                          const int64_t ranks = std::exchange(copy, {}).shard.ranks;
                          if (writer == nullptr) return;
                          if (wait_for_shares(staging, ranks, gives_up)) commit(*writer);
                          writer.reset();  // here, where nothing is committed, its folder goes
                        });
}

BackgroundCheckpoint::~BackgroundCheckpoint() {
  gives_up_.request_stop();
  if (writing_.valid()) writing_.wait();
}

bool BackgroundCheckpoint::is_done() const {
  return !writing_.valid() ||
         writing_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

void BackgroundCheckpoint::finish() {
  if (writing_.valid()) writing_.get();
}

}  // namespace sightline
