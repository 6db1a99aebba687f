#pragma once
// Starts the ranks of a run that are this machine's, and stays with them: their lines come out with
// their rank before them, signals are passed on, and one that fails ends all.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace sightline {

struct LaunchOptions {
  std::vector<std::string> command;  // the program and its arguments
  // After a failure all ranks are started again, so many times, by this command. Where a rank did
  // not take its command, or a signal asked all to stop, they are not.
  int64_t restarts = 0;
  std::vector<std::string> restart_command;  // empty: `command`
  int64_t processes = 1;                     // ranks on this machine
  int64_t machines = 1;                      // each with as many
  int64_t machine = 0;                       // this one's number
  std::string meeting_host = "127.0.0.1";
  int64_t meeting_port = 0;  // 0: one that is free, for a run on this machine alone
  // After a rank's failure the others have this long to notice, say so and end; then they are
  // killed.
  std::chrono::milliseconds grace = std::chrono::seconds(20);
  // A rank that has given no sign of life for so long is stopped or stuck, and killed.
  std::chrono::milliseconds silence = std::chrono::seconds(60);
};

// The cores of a machine that its rank `number` of `count` may run on: near-equal neighbouring
// shares; where ranks outnumber cores, they take turns.
std::vector<int> share_of_cores(const std::vector<int>& cores, int64_t number, int64_t count);

// Returns when all ranks here have ended well. Otherwise, and after the last restart, an Error (a
// UsageError where the rank's was one) that names the rank at fault (one that a signal ended, else
// the first that failed), this machine, how it ended and its last step.
void launch_ranks(const LaunchOptions& options);

}  // namespace sightline
