#pragma once
// What a CUDA graph is to a GPU, for the device of other_device.h: operations and kernels that were
// recorded, with the memory that they were given, and are carried out again on what lies there
// then. Numbers that the CPU had a hand in are recorded as they were, and so show where they should
// not be; a copy to or from the CPU is none that can be recorded.

#include "base/error.h"
#include "kernels/cuda_kernels.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace sightline::test {

struct Recording {
  std::vector<std::function<void()>> pieces;
  std::vector<std::function<void()>> at_end;  // frees memory that pieces were given

  Recording() = default;
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;
  ~Recording() {
    for (const auto& f : at_end) f();
  }
};

// What is being recorded into by this thread, if anything.
inline Recording*& recording() {
  thread_local Recording* into = nullptr;
  return into;
}

class RecordInto {
 public:
  explicit RecordInto(Recording* into) : before_(std::exchange(recording(), into)) {}
  ~RecordInto() { recording() = before_; }
  RecordInto(const RecordInto&) = delete;
  RecordInto& operator=(const RecordInto&) = delete;

 private:
  Recording* before_;
};

inline void cannot_be_recorded(const char* what) {
  SL_ASSERT(recording() == nullptr, "{} while work is recorded", what);
}

// Does it, and records it.
inline void do_and_record(const std::function<void()>& piece) {
  piece();
  if (recording() != nullptr) recording()->pieces.push_back(piece);
}

struct OtherWork final : RecordedWork {
  Recording own;
  void replay() override {
    for (const auto& piece : own.pieces) piece();
  }
};

// As CudaKernels::record.
inline std::unique_ptr<RecordedWork> other_record(const std::function<void()>& work) {
  work();
  auto recorded = std::make_unique<OtherWork>();
  const RecordInto into(&recorded->own);
  work();
  return recorded;
}

}  // namespace sightline::test
