#include "dist/place.h"

#include "base/error.h"

#include <charconv>
#include <cstdlib>
#include <string_view>

namespace sightline {

namespace {

// The names by which a launcher tells a rank where it stands.
struct Family {
  const char* launcher;
  const char* rank;
  const char* size;
  const char* local_rank;
};

constexpr Family kTorchrun = {"torchrun", "RANK", "WORLD_SIZE", "LOCAL_RANK"};
constexpr Family kOpenMpi = {"mpirun", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE",
                             "OMPI_COMM_WORLD_LOCAL_RANK"};
constexpr Family kSlurm = {"srun", "SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID"};

class Reader {
 public:
  explicit Reader(const Environment& environment) : environment_(environment) {}

  bool has(const char* name) const { return environment_(name).has_value(); }
  std::string text(const char* name) const { return environment_(name).value_or(""); }

  int64_t number(const char* name, const char* because) const {
    const auto value = environment_(name);
    if (!value) {
      fail_usage("{} is not set, but {} is: set both, or neither to train on one rank", name,
                 because);
    }
    return number_in(name, *value);
  }

  static int64_t number_in(const char* name, const std::string& value) {
    int64_t number = 0;
    const char* end = value.data() + value.size();
    const auto [rest, code] = std::from_chars(value.data(), end, number);
    if (code != std::errc() || rest != end || number < 0) {
      fail_usage("{}=\"{}\" in the environment: not a whole number from 0 on", name, value);
    }
    return number;
  }

 private:
  const Environment& environment_;
};

void read_rank(const Reader& reader, const Family& family, Place& place) {
  const char* first = family.rank;
  for (const char* name : {family.local_rank, family.size, family.rank}) {
    if (reader.has(name)) first = name;
  }
  place.launcher = family.launcher;
  place.rank = reader.number(family.rank, first);
  place.size = reader.number(family.size, first);
  if (place.size == 0)
    fail_usage("{}=\"0\" in the environment: a run has at least one rank", family.size);
  if (place.rank >= place.size) {
    fail_usage("{}=\"{}\" and {}=\"{}\" in the environment: ranks are 0 to {}", family.rank,
               place.rank, family.size, place.size, place.size - 1);
  }
  if (place.size == 1 && !reader.has(family.local_rank)) return;
  place.local_rank = reader.number(family.local_rank, first);
  if (place.local_rank > place.rank) {
    fail_usage("{}=\"{}\" and {}=\"{}\" in the environment: a machine's ranks are counted from 0",
               family.local_rank, place.local_rank, family.rank, place.rank);
  }
}

// "node[03-05,9],other" -> "node03".
std::string first_host(std::string_view list) {
  const size_t bracket = list.find_first_of("[,");
  if (bracket == std::string_view::npos || list[bracket] == ',') {
    return std::string(list.substr(0, bracket));
  }
  const std::string_view numbers = list.substr(bracket + 1);
  return std::string(list.substr(0, bracket)) +
         std::string(numbers.substr(0, numbers.find_first_of("-,]")));
}

// The same for all ranks of a job, and most likely another one for another job.
int64_t port_of_job(std::string_view job) {
  uint32_t sum = 2166136261u;  // FNV-1a
  for (const char letter : job) sum = (sum ^ static_cast<unsigned char>(letter)) * 16777619u;
  return 20000 + sum % 12000;  // below what Linux gives away by itself
}

std::string meeting_host(const Reader& reader, const Family& family, int64_t size) {
  if (reader.has("MASTER_ADDR")) return reader.text("MASTER_ADDR");
  if (&family == &kSlurm) {
    for (const char* name : {"SLURM_STEP_NODELIST", "SLURM_JOB_NODELIST", "SLURM_NODELIST"}) {
      if (reader.has(name)) return first_host(reader.text(name));
    }
  }
  if (&family == &kOpenMpi && reader.text("OMPI_COMM_WORLD_LOCAL_SIZE") == std::to_string(size)) {
    return "127.0.0.1";
  }
  fail_usage(
      "MASTER_ADDR is not set, but {} is: it names the machine of rank 0, at which the {} "
      "ranks meet",
      family.rank, size);
}

int64_t meeting_port(const Reader& reader, const Family& family) {
  if (reader.has("MASTER_PORT")) {
    const int64_t port = Reader::number_in("MASTER_PORT", reader.text("MASTER_PORT"));
    if (port < 1 || port > 65535) {
      fail_usage("MASTER_PORT=\"{}\" in the environment: ports are 1 to 65535", port);
    }
    return port;
  }
  if (&family == &kSlurm && reader.has("SLURM_JOB_ID")) {
    return port_of_job(reader.text("SLURM_JOB_ID") + "." + reader.text("SLURM_STEP_ID"));
  }
  if (&family == &kOpenMpi) {
    for (const char* name : {"PMIX_NAMESPACE", "OMPI_MCA_ess_base_jobid"}) {
      if (reader.has(name)) return port_of_job(reader.text(name));
    }
  }
  fail_usage("MASTER_PORT is not set, but {} is: it names the port at which the ranks meet on {}",
             family.rank,
             reader.has("MASTER_ADDR") ? reader.text("MASTER_ADDR") : "rank 0's machine");
}

}  // namespace

std::optional<std::string> environment_variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

Place read_place(const Environment& environment) {
  const Reader reader(environment);
  const Family* family = nullptr;
  if (reader.has("SLURM_PROCID")) family = &kSlurm;  // SLURM_NTASKS alone is a job's, not a rank's
  for (const Family* each : {&kOpenMpi, &kTorchrun}) {
    if (reader.has(each->rank) || reader.has(each->size) || reader.has(each->local_rank)) {
      family = each;
    }
  }
  Place place;
  if (family == nullptr) return place;
  read_rank(reader, *family, place);
  if (place.size == 1) return place;
  place.meeting_host = meeting_host(reader, *family, place.size);
  place.meeting_port = meeting_port(reader, *family);
  if (reader.has(kAttempt)) place.attempt = reader.number(kAttempt, kAttempt);
  if (family == &kTorchrun && reader.text("TORCHELASTIC_USE_AGENT_STORE") == "True") {
    place.meeting_place_is_launchers = true;
    place.prefix = "/sightline/attempt_" + reader.text("TORCHELASTIC_RESTART_COUNT");
  }
  return place;
}

}  // namespace sightline
