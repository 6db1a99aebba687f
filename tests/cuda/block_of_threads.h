#pragma once
// A grid of the GPU's as the kernels' bodies see it (cuda/array_bodies.h), of threads of the CPU:
// those of one block run at once, the blocks one after the other.

#include <array>
#include <barrier>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace sightline::test {

class BlockOfThreads {
 public:
  // What the threads of one block share.
  struct Shared {
    explicit Shared(int threads) : all(threads), exchanged(static_cast<size_t>(threads)) {
      for (int warp = 0; warp < threads / 32; ++warp) {
        warps.push_back(std::make_unique<std::barrier<>>(32));
      }
    }
    std::barrier<> all;
    std::vector<std::unique_ptr<std::barrier<>>> warps;
    std::vector<float> exchanged;
    std::array<float, 32> scratch{};
  };

  BlockOfThreads(Shared& shared, int64_t index, int thread, int threads)
      : shared_(shared), index_(index), thread_(thread), threads_(threads) {}

  int64_t index() const { return index_; }
  int thread() const { return thread_; }
  int threads() const { return threads_; }
  void meet() const { shared_.all.arrive_and_wait(); }
  float other(float x, int mask) const {
    std::barrier<>& warp = *shared_.warps[static_cast<size_t>(thread_ / 32)];
    shared_.exchanged[static_cast<size_t>(thread_)] = x;
    warp.arrive_and_wait();
    const float theirs = shared_.exchanged[static_cast<size_t>(thread_ ^ mask)];
    warp.arrive_and_wait();
    return theirs;
  }
  float* scratch() const { return shared_.scratch.data(); }

 private:
  Shared& shared_;
  int64_t index_;
  int thread_, threads_;
};

// Runs `body` as a grid of `blocks` blocks of `threads` threads, a multiple of 32.
inline void run_grid(int64_t blocks, int threads,
                     const std::function<void(const BlockOfThreads&)>& body) {
  for (int64_t index = 0; index < blocks; ++index) {
    BlockOfThreads::Shared shared(threads);
    std::vector<std::jthread> running;
    for (int thread = 0; thread < threads; ++thread) {
      running.emplace_back(
          [&, index, thread] { body(BlockOfThreads(shared, index, thread, threads)); });
    }
  }
}

}  // namespace sightline::test
