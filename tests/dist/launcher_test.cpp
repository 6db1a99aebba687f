#include "dist/launcher.h"

#include "base/error.h"
#include "base/log.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

struct Outcome {
  std::string output, errors, complaint;
  bool usage = false;
  double seconds = 0;
};

// Launches `script` by bash, once a rank.
Outcome launch(const std::string& script, LaunchOptions options) {
  options.command = {"/bin/bash", "-c", script};
  Outcome outcome;
  const double begun = seconds_now();
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  try {
    launch_ranks(options);
  } catch (const Error& error) {
    outcome.complaint = error.what();
    outcome.usage = dynamic_cast<const UsageError*>(&error) != nullptr;
  }
  outcome.output = testing::internal::GetCapturedStdout();
  outcome.errors = testing::internal::GetCapturedStderr();
  outcome.seconds = seconds_now() - begun;
  return outcome;
}

TEST(Launcher, EachRankKnowsItsPlaceAndIsHeard) {
  setenv("SLURM_PROCID", "7", 1);  // as within a Slurm job's script
  const Outcome outcome = launch(
      "echo $RANK of $WORLD_SIZE, $LOCAL_RANK here, at $MASTER_ADDR:$MASTER_PORT, Slurm "
      "${SLURM_PROCID:-gone};"
      "echo a word >&2; printf 'the end'",
      {.processes = 2, .machines = 3, .machine = 1, .meeting_host = "host", .meeting_port = 77});
  unsetenv("SLURM_PROCID");
  EXPECT_EQ(outcome.complaint, "");
  for (const char* line :
       {"[2] 2 of 6, 0 here, at host:77, Slurm gone\n",
        "[3] 3 of 6, 1 here, at host:77, Slurm gone\n", "[2] the end\n", "[3] the end\n"}) {
    EXPECT_THAT(outcome.output, HasSubstr(line));
  }
  EXPECT_EQ(std::ranges::count(outcome.output, '\n'), 4);
  EXPECT_THAT(outcome.errors, HasSubstr("[2] a word\n"));
  EXPECT_THAT(outcome.errors, HasSubstr("[3] a word\n"));
}

TEST(Launcher, ALostRankEndsAll) {
  // Rank 0 gives up by itself, rank 2 never does.
  const Outcome outcome = launch(
      "printf '\\014\\0\\0\\0\\0\\0\\0\\0' >&$SIGHTLINE_STEP_FILE;"
      "case $RANK in 0) sleep 0.3; exit 1;; 1) kill -9 $$;; 2) exec sleep 100;; esac",
      {.processes = 3, .grace = 1s});
  EXPECT_THAT(outcome.complaint, HasSubstr("rank 1 on "));
  EXPECT_THAT(outcome.complaint, HasSubstr("was ended by signal 9 (Killed) after step 12"));
  EXPECT_THAT(outcome.complaint, HasSubstr("rank 2 did not end within 1 s and was killed"));
  EXPECT_FALSE(outcome.usage);
  EXPECT_LT(outcome.seconds, 30);
}

TEST(Launcher, AFailureIsToldAsTheRankTellsIt) {
  const Outcome failed = launch("echo broken >&2; exit 1", {.processes = 1});
  EXPECT_THAT(failed.complaint, HasSubstr("failed before its first step (exit code 1)"));
  EXPECT_THAT(failed.errors, HasSubstr("[0] broken\n"));
  EXPECT_TRUE(launch("exit 2", {.processes = 2}).usage);
}

TEST(Launcher, ASignalIsPassedOn) {
  const Outcome outcome = launch(
      "trap 'echo caught; exit 1' TERM; if [ $RANK = 0 ]; then sleep 0.5; kill -TERM $PPID; fi;"
      "for i in $(seq 100); do sleep 0.1; done",
      {.processes = 2});
  EXPECT_THAT(outcome.output, HasSubstr("[0] caught\n"));
  EXPECT_THAT(outcome.output, HasSubstr("[1] caught\n"));
  EXPECT_THAT(outcome.complaint, HasSubstr("stopped by signal 15"));
}

TEST(Launcher, CoresAreShared) {
  const std::vector<int> cores = {2, 3, 5, 8, 9};
  EXPECT_EQ(share_of_cores(cores, 0, 1), cores);
  EXPECT_EQ(share_of_cores(cores, 0, 2), (std::vector<int>{2, 3}));
  EXPECT_EQ(share_of_cores(cores, 1, 2), (std::vector<int>{5, 8, 9}));
  EXPECT_EQ(share_of_cores(cores, 4, 5), (std::vector<int>{9}));
  EXPECT_EQ(share_of_cores(cores, 6, 8), (std::vector<int>{3}));
  EXPECT_EQ(share_of_cores({}, 0, 2), std::vector<int>{});
}

}  // namespace
}  // namespace sightline
