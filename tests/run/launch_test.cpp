// A recipe on several ranks through `sightline launch`: the run of one rank, whatever befalls them.

#include "base/json.h"
#include "tensor/safetensors.h"
#include "tests/run/small_run.h"

#include <algorithm>
#include <map>

#include <gmock/gmock.h>

namespace sightline {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// Bash: waits until the run of folder $1 has done $2 steps; then rank $3 of launcher $L gets the
// signal $4.
constexpr const char* kStrike = R"(strike() {
  until [ -f $1/run.jsonl ] && [ $(grep -c '"loss"' $1/run.jsonl) -ge $2 ]; do
    kill -0 $L || exit 9
    sleep 0.05
  done
  for p in $(cat /proc/$L/task/$L/children); do
    if tr '\0' '\n' < /proc/$p/environ | grep -qx "RANK=$3"; then kill -s $4 $p; fi
  done
}
)";

class SlowLaunch : public test::SmallRun {
 protected:
  void SetUp() override {
    SIGHTLINE_NEEDS(test::environment_path("SIGHTLINE_BINARY"));
    begin(test::many_steps_recipe());
  }

  struct Flags {
    std::string launch, train;
  };
  static std::string words_of(const Flags& flags, const std::string& output) {
    return "launch " + flags.launch + " -- train recipe.toml --rank-timeout 15 " + flags.train +
           " --output " + output;
  }
  test::CommandResult launch(const Flags& flags, const std::string& output) const {
    return run(words_of(flags, output));
  }
  // Launched likewise, and struck as `strikes` say (calls of kStrike).
  test::CommandResult launch_and_strike(const Flags& flags, const std::string& output,
                                        const std::string& strikes) const {
    write("strike.sh", std::string(kStrike) + "cd " + path("").string() + "\n" +
                           test::environment_path("SIGHTLINE_BINARY").string() + " " +
                           words_of(flags, output) + " &\nL=$!\n" + strikes + "\nwait $L\n");
    return test::run_command("bash " + path("strike.sh").string());
  }

  std::vector<double> losses(const std::string& output) const {
    std::vector<double> losses;
    for (const Json& line : log(output)) {
      if (!line.contains("loss")) continue;
      losses.resize(line["step"].get<size_t>());
      losses.back() = line["loss"].get<double>();
    }
    return losses;
  }
  // Of the last evaluation, case by case.
  std::vector<std::string> answers(const std::string& output) const {
    fs::path newest;
    for (const auto& each : fs::directory_iterator(path(output) / "evaluations")) {
      newest = std::max(newest, each.path());
    }
    std::vector<std::string> texts;
    for (const Json& each : read_json(newest / "look" / "predictions.json")) {
      texts.push_back(each["caption"].get<std::string>());
    }
    EXPECT_EQ(texts.size(), 8u);
    return texts;
  }
  // By step, each as told last.
  std::vector<double> validation_losses(const std::string& output) const {
    std::map<int64_t, double> losses;
    for (const Json& line : log(output)) {
      if (line.contains("evaluation")) {
        losses[line["step"].get<int64_t>()] = line["evaluation"]["validation_loss"].get<double>();
      }
    }
    std::vector<double> list;
    for (const auto& [step, loss] : losses) list.push_back(loss);
    return list;
  }
};

TEST_F(SlowLaunch, AnyNumberOfRanksIsTheRunOfOne) {
  write("recipe.toml",
        test::replaced(test::many_steps_recipe(), "[eval]\n",
                       "[task.look]\nkind = \"caption\"\ndata = \"held\"\n"
                       "decoding = { max_new_tokens = 4, batch = 3 }\n[eval]\ntask = \"look\"\n"));
  const auto alone = run("train recipe.toml --output alone");
  ASSERT_EQ(alone.exit_code, 0) << alone.output;
  const std::vector<double> expected = losses("alone");
  ASSERT_GT(expected.size(), 20u);
  for (const char* ranks : {"1", "2", "3"}) {
    const std::string output = std::string("r") + ranks;
    const auto result = launch({.launch = std::string("--nproc ") + ranks}, output);
    ASSERT_EQ(result.exit_code, 0) << result.output;
    const std::vector<double> found = losses(output);
    ASSERT_EQ(found.size(), expected.size());
    for (size_t i = 0; i < found.size(); ++i) {
      EXPECT_NEAR(found[i], expected[i], 2e-5 * expected[i]) << ranks << " ranks, step " << i + 1;
    }
    EXPECT_TRUE(fs::exists(path(output) / "report.html"));
    EXPECT_EQ(answers(output), answers("alone"));
    EXPECT_EQ(validation_losses(output).size(), 3u);
  }
  expect_the_same_weights("alone", "r1");
  ASSERT_EQ(launch({.launch = "--nproc 2", .train = "--zero 1"}, "shards").exit_code, 0);
  expect_the_same_weights("r2", "shards");
}

TEST_F(SlowLaunch, AKilledRankEndsAllWithItsName) {
  const auto result = launch_and_strike({.launch = "--nproc 3"}, "r", "strike r 7 1 KILL");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, HasSubstr("sightline: rank 1 on "));
  EXPECT_THAT(result.output, HasSubstr("was ended by signal 9 (Killed) after step "));
  EXPECT_THAT(result.output, HasSubstr("lost rank 1 on ")) << "the others tell too";
  // On fewer ranks it goes on.
  const auto resumed = launch({.launch = "--nproc 2", .train = "--resume"}, "r");
  ASSERT_EQ(resumed.exit_code, 0) << resumed.output;
  EXPECT_THAT(resumed.output, HasSubstr("resuming from"));
  ASSERT_EQ(launch({.launch = "--nproc 3"}, "whole").exit_code, 0);
  const std::vector<double> expected = losses("whole"), found = losses("r");
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_NEAR(found[i], expected[i], 2e-5 * expected[i]) << "step " << i + 1;
  }
}

TEST_F(SlowLaunch, RestartsGoOnToTheSameWeights) {
  ASSERT_EQ(launch({.launch = "--nproc 2"}, "whole").exit_code, 0);
  // Killed, killed again behind the restart, and one that hangs.
  const auto result =
      launch_and_strike({.launch = "--nproc 2 --restarts 3 --silence 5"}, "r",
                        "strike r 6 0 KILL\nstrike r 14 1 KILL\nstrike r 20 1 STOP");
  EXPECT_EQ(result.exit_code, 0) << result.output;
  for (const char* told : {"restart 1 of 3", "restart 2 of 3", "restart 3 of 3", "resuming from",
                           "lost rank 1 on ", "gave no sign of life for 5 s"}) {
    EXPECT_THAT(result.output, HasSubstr(told));
  }
  expect_the_same_weights("whole", "r");
}

// ZeRO-1 on three ranks, killed, then ZeRO-2 on two: checkpoints, written in the background, go on
// on any number, and averages, Muon and evaluations are those of one rank.
TEST_F(SlowLaunch, ShardedStateGoesOnOnAnyNumberOfRanks) {
  const std::string settings =
      "--set stage.one.ema=0.9 --set stage.one.optimizer=muon --set eval.every=7 "
      "--set checkpoint.background=true ";
  ASSERT_EQ(launch({.launch = "--nproc 1", .train = settings}, "whole").exit_code, 0);
  const auto killed = launch_and_strike({.launch = "--nproc 3", .train = settings + "--zero 1"},
                                        "r", "strike r 14 2 KILL");
  ASSERT_EQ(killed.exit_code, 1) << killed.output;
  const fs::path checkpoints = path("r") / "checkpoints";
  ASSERT_FALSE(fs::is_empty(checkpoints));
  for (const auto& each : fs::directory_iterator(checkpoints)) {
    if (each.path().extension().empty()) {
      EXPECT_TRUE(fs::exists(each.path() / "training-00002-of-00003.safetensors")) << each.path();
    }
  }
  const auto resumed =
      launch({.launch = "--nproc 2", .train = settings + "--zero 2 --resume"}, "r");
  ASSERT_EQ(resumed.exit_code, 0) << resumed.output;
  const std::vector<double> expected = losses("whole"), found = losses("r");
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_NEAR(found[i], expected[i], 5e-5 * expected[i]) << "step " << i + 1;
  }
  const std::vector<double> judged = validation_losses("whole"),
                            judged_too = validation_losses("r");
  ASSERT_GT(judged.size(), 5u);
  ASSERT_EQ(judged_too.size(), judged.size());
  for (size_t i = 0; i < judged.size(); ++i)
    EXPECT_NEAR(judged_too[i], judged[i], 5e-5 * judged[i]);
}

TEST_F(SlowLaunch, ASignalStopsAllBehindTheSameStep) {
  const auto result = launch_and_strike({.launch = "--nproc 2 --restarts 2"}, "r",
                                        "strike r 6 none TERM; kill -TERM $L");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, HasSubstr("stopped by a signal after step"));
  EXPECT_THAT(result.output, HasSubstr("stopped by signal 15"));
  EXPECT_THAT(result.output, testing::Not(HasSubstr("restart")));
  ASSERT_EQ(launch({.launch = "--nproc 2", .train = "--resume"}, "r").exit_code, 0);
  ASSERT_EQ(launch({.launch = "--nproc 2"}, "whole").exit_code, 0);
  expect_the_same_weights("whole", "r");
}

TEST_F(SlowLaunch, WhatItCannotDoItSays) {
  const auto complaint = [&](const std::string& words) {
    const auto result = run(words);
    EXPECT_EQ(result.exit_code, 2) << words << ": " << result.output;
    return result.output;
  };
  EXPECT_THAT(complaint("launch --nproc 2"), HasSubstr("what is to run is missing"));
  EXPECT_THAT(complaint("launch -- caption m i.jpg"),
              HasSubstr("only `train` and `recaption` run on several"));
  EXPECT_THAT(complaint("launch --nnodes 2 -- train recipe.toml"), HasSubstr("--rendezvous"));
  EXPECT_THAT(complaint("launch --nnodes 2 --node-rank 2 -- train r.toml"),
              HasSubstr("--node-rank 2: of --nnodes 2 they are 0 to 1"));
  for (const char* place : {"host", ":1", "host:", "host:0", "host:65536", "host:1x"}) {
    EXPECT_THAT(complaint(std::string("launch --rendezvous ") + place + " -- train r.toml"),
                HasSubstr("HOST:PORT is wanted"));
  }
  EXPECT_THAT(complaint("launch --nproc 2 -- train none.toml"), HasSubstr("none.toml"));
}

class OracleLaunchers : public SlowLaunch {
 protected:
  void expect_the_run_of_launch(const std::string& command) const {
    ASSERT_EQ(launch({.launch = "--nproc 2"}, "ours").exit_code, 0);
    const auto theirs = test::run_command("cd " + path("").string() + " && " + command + " " +
                                          test::environment_path("SIGHTLINE_BINARY").string() +
                                          " train recipe.toml --output theirs");
    ASSERT_EQ(theirs.exit_code, 0) << theirs.output;
    expect_the_same_weights("ours", "theirs");
  }
};

TEST_F(OracleLaunchers, Torchrun) {
  const fs::path torchrun = test::oracle_python().parent_path() / "torchrun";
  SIGHTLINE_NEEDS(torchrun);
  expect_the_run_of_launch(torchrun.string() +
                           " --no-python --nproc-per-node 2 --master-port 29533");
}

TEST_F(OracleLaunchers, Mpirun) {
  SIGHTLINE_NEEDS("/usr/bin/mpirun");
  expect_the_run_of_launch(
      "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 mpirun -n 2 --oversubscribe");
}

}  // namespace
}  // namespace sightline
