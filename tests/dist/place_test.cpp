#include "dist/place.h"

#include "base/error.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using Variables = std::map<std::string, std::string>;

Place place_in(const Variables& variables) {
  return read_place([&](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  });
}

std::string complaint_of(const Variables& variables) {
  try {
    place_in(variables);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "none";
}

const Variables kTorchrun = {{"RANK", "3"},
                             {"WORLD_SIZE", "4"},
                             {"LOCAL_RANK", "1"},
                             {"MASTER_ADDR", "host"},
                             {"MASTER_PORT", "1234"}};

Variables with(Variables variables, const std::string& name, const std::string& value) {
  variables[name] = value;
  return variables;
}

Variables without(Variables variables, const std::string& name) {
  variables.erase(name);
  return variables;
}

TEST(Place, AloneWithoutALauncher) {
  const Place place = place_in({{"PATH", "/bin"}, {"SLURM_NTASKS", "4"}});
  EXPECT_EQ(place.rank, 0);
  EXPECT_EQ(place.size, 1);
  EXPECT_EQ(place.launcher, "");
}

TEST(Place, Torchrun) {
  const Place place = place_in(kTorchrun);
  EXPECT_EQ(place.rank, 3);
  EXPECT_EQ(place.size, 4);
  EXPECT_EQ(place.local_rank, 1);
  EXPECT_EQ(place.meeting_host, "host");
  EXPECT_EQ(place.meeting_port, 1234);
  EXPECT_FALSE(place.meeting_place_is_launchers);
  const Place agents = place_in(with(with(kTorchrun, "TORCHELASTIC_USE_AGENT_STORE", "True"),
                                     "TORCHELASTIC_RESTART_COUNT", "2"));
  EXPECT_TRUE(agents.meeting_place_is_launchers);
  EXPECT_NE(agents.prefix, "");
  EXPECT_EQ(place_in({{"RANK", "0"}, {"WORLD_SIZE", "1"}}).size, 1);
}

TEST(Place, OpenMpi) {
  Variables variables = {
      {"OMPI_COMM_WORLD_RANK", "1"},       {"OMPI_COMM_WORLD_SIZE", "2"},
      {"OMPI_COMM_WORLD_LOCAL_RANK", "1"}, {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"},
      {"PMIX_NAMESPACE", "prterun-1"},     {"SLURM_PROCID", "0"}};  // mpirun within a Slurm job
  const Place place = place_in(variables);
  EXPECT_EQ(place.rank, 1);
  EXPECT_EQ(place.size, 2);
  EXPECT_EQ(place.meeting_host, "127.0.0.1");
  EXPECT_EQ(place.meeting_port,
            place_in(with(variables, "OMPI_COMM_WORLD_RANK", "1")).meeting_port);
  EXPECT_NE(place.meeting_port, place_in(with(variables, "PMIX_NAMESPACE", "other")).meeting_port);
  variables["OMPI_COMM_WORLD_LOCAL_SIZE"] = "1";
  EXPECT_THAT(complaint_of(variables), testing::HasSubstr("MASTER_ADDR is not set"));
}

TEST(Place, Slurm) {
  const Variables variables = {{"SLURM_PROCID", "5"},
                               {"SLURM_NTASKS", "8"},
                               {"SLURM_LOCALID", "1"},
                               {"SLURM_JOB_ID", "77"},
                               {"SLURM_JOB_NODELIST", "gpu[03-05,9],big1"}};
  const Place place = place_in(variables);
  EXPECT_EQ(place.rank, 5);
  EXPECT_EQ(place.size, 8);
  EXPECT_EQ(place.local_rank, 1);
  EXPECT_EQ(place.meeting_host, "gpu03");
  EXPECT_EQ(place_in(with(variables, "SLURM_JOB_NODELIST", "a,b[1-2]")).meeting_host, "a");
  EXPECT_EQ(place_in(with(variables, "SLURM_JOB_NODELIST", "alone")).meeting_host, "alone");
  EXPECT_EQ(place_in(with(variables, "MASTER_ADDR", "there")).meeting_host, "there");
}

TEST(Place, AMistakeNamesItsVariable) {
  const std::map<std::string, Variables> mistakes = {
      {"WORLD_SIZE is not set, but RANK is", without(kTorchrun, "WORLD_SIZE")},
      {"RANK is not set, but WORLD_SIZE is", without(kTorchrun, "RANK")},
      {"LOCAL_RANK is not set, but RANK is", without(kTorchrun, "LOCAL_RANK")},
      {"MASTER_ADDR is not set, but RANK is", without(kTorchrun, "MASTER_ADDR")},
      {"MASTER_PORT is not set, but RANK is", without(kTorchrun, "MASTER_PORT")},
      {"RANK=\"4\" and WORLD_SIZE=\"4\"", with(kTorchrun, "RANK", "4")},
      {"LOCAL_RANK=\"4\" and RANK=\"3\"", with(kTorchrun, "LOCAL_RANK", "4")},
      {"RANK=\"-1\"", with(kTorchrun, "RANK", "-1")},
      {"WORLD_SIZE=\"four\"", with(kTorchrun, "WORLD_SIZE", "four")},
      {"WORLD_SIZE=\"0\"", with(kTorchrun, "WORLD_SIZE", "0")},
      {"MASTER_PORT=\"70000\"", with(kTorchrun, "MASTER_PORT", "70000")},
      {"SLURM_NTASKS is not set, but SLURM_PROCID is", {{"SLURM_PROCID", "1"}}},
      {"OMPI_COMM_WORLD_RANK is not set, but OMPI_COMM_WORLD_SIZE is",
       {{"OMPI_COMM_WORLD_SIZE", "2"}}},
  };
  for (const auto& [expected, variables] : mistakes) {
    EXPECT_THAT(complaint_of(variables), testing::HasSubstr(expected));
  }
}

}  // namespace
}  // namespace sightline
