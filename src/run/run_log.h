#pragma once
// run.jsonl: one line an optimizer step or evaluation, in the order in which they happened. A
// resumed run first drops the lines behind its checkpoint, so that the file tells one story.

#include "base/json.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

namespace sightline {

class RunLog {
 public:
  // Keeps the lines whose "step" is at most `last_step` and appends from there.
  RunLog(std::filesystem::path path, int64_t last_step);
  // `line` must hold "step".
  void append(const Json& line);

 private:
  std::filesystem::path path_;
  std::ofstream file_;
};

// The whole lines of `file` whose "step" is at most `last_step`; "" where there is no file.
std::string log_lines_until(const std::filesystem::path& file, int64_t last_step);

// Resident memory of this process now, and its peak, in MiB (Linux's /proc/self/status).
struct MemoryUse {
  double now_mib = 0, peak_mib = 0;
};
MemoryUse memory_use();

}  // namespace sightline
