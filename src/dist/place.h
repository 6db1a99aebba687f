#pragma once
// Where this process stands among the processes of a run, by the environment that launched it. A
// process is a rank: 0, 1, ... size - 1. Read as they are, the first of these that is there:
//
//   `sightline launch`, torchrun   RANK WORLD_SIZE LOCAL_RANK
//   Open MPI's mpirun              OMPI_COMM_WORLD_RANK _SIZE _LOCAL_RANK
//   Slurm's srun                   SLURM_PROCID SLURM_NTASKS SLURM_LOCALID
//
// Ranks meet at MASTER_ADDR, MASTER_PORT. Where those are not set: under Slurm the step's first
// host, under Open MPI this machine, where it has all the ranks; and a port made of the job's name.
// With none of the variables the process is alone.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace sightline {

// The environment variable in which `sightline launch` counts its starts.
inline constexpr const char* kAttempt = "SIGHTLINE_ATTEMPT";

struct Place {
  int64_t rank = 0;
  int64_t size = 1;
  int64_t local_rank = 0;  // among the ranks of this machine
  std::string meeting_host;
  int64_t meeting_port = 0;
  // Under torchrun the meeting place is torchrun's own, not rank 0's, and serves several attempts.
  bool meeting_place_is_launchers = false;
  std::string prefix;    // of this attempt's keys there
  int64_t attempt = 0;   // how often `sightline launch` has started the ranks before
  std::string launcher;  // "torchrun", "mpirun" or "srun", for messages; "" alone
};

// The value of an environment variable, or nothing.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

// The process's own.
std::optional<std::string> environment_variable(const std::string& name);

// Variables that are missing, not numbers or contradictory are a UsageError naming the variable.
Place read_place(const Environment& environment = environment_variable);

}  // namespace sightline
