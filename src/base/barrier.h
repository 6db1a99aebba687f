#pragma once
// Where threads wait for each other again and again, a microsecond apart: waiting ones spin for a
// while before they sleep.

#include <atomic>
#include <cstdint>

namespace sightline {

class Barrier {
 public:
  // Returns when `threads` threads have come. All pass the same number each time.
  void wait(int64_t threads) {
    const uint32_t round = round_.load(std::memory_order_relaxed);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads) {
      arrived_.store(0, std::memory_order_relaxed);
      round_.fetch_add(1, std::memory_order_release);
      round_.notify_all();
      return;
    }
    for (int spin = 0; spin < kSpins; ++spin) {
      if (round_.load(std::memory_order_acquire) != round) return;
      relax();
    }
    while (round_.load(std::memory_order_acquire) == round) round_.wait(round);
  }

 private:
  static constexpr int kSpins = 2000;  // about a tenth of a millisecond

  static void relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }

  std::atomic<int64_t> arrived_ = 0;
  std::atomic<uint32_t> round_ = 0;
};

}  // namespace sightline
