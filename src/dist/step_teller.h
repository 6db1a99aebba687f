#pragma once
// How a rank tells the launcher that started it (dist/launcher.h) where it stands, and that it is
// alive.

#include <cstdint>
#include <thread>

namespace sightline {

// The environment variable with the file descriptor to write to, 8 bytes each time: a step, or a
// negative number as a sign of life.
inline constexpr const char* kStepFile = "SIGHTLINE_STEP_FILE";

class StepTeller {
 public:
  // Gives signs of life from here on, by a thread of its own.
  StepTeller();
  // The optimizer steps that are done. Never waits; without a launcher it does nothing.
  void tell(int64_t step) const;

 private:
  int file_ = -1;
  std::jthread beat_;
};

}  // namespace sightline
