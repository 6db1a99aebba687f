#pragma once
// How a rank tells the launcher that started it (dist/launcher.h) where it stands.

#include <cstdint>

namespace sightline {

// The environment variable with the file descriptor to write to, 8 bytes a step.
inline constexpr const char* kStepFile = "SIGHTLINE_STEP_FILE";

class StepTeller {
 public:
  StepTeller();
  // The optimizer steps that are done. Never waits; without a launcher it does nothing.
  void tell(int64_t step) const;

 private:
  int file_ = -1;
};

}  // namespace sightline
