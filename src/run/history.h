#pragma once
// Where a run's first stages come from, where it was begun again from another run's: history.json
// of the run folder. A run begun again from one that was itself begun again has both, the oldest
// first.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace sightline {

struct Origin {
  std::string run;                  // the other run's folder, as it was named
  std::vector<std::string> stages;  // taken over from there
  int64_t step = 0;                 // optimizer steps taken over
  std::string begun_again;          // the stage that came next
};

// Empty where the folder has no history.json.
std::vector<Origin> read_history(const std::filesystem::path& folder);
void write_history(const std::filesystem::path& folder, const std::vector<Origin>& history);

}  // namespace sightline
