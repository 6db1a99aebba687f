// Machines made of network namespaces, joined by a bridge: a run over all of them; then a link cut,
// a rank killed, a rank stopped, each at a random instant. All others end in time with the right
// words, and the run that goes on has the weights of the undisturbed one.
//
// Needs root and `ip`. SIGHTLINE_FAULTS=N: each fault N times (2 if left out).

#include "base/rng.h"
#include "tests/run/small_run.h"

#include <cstdlib>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace sightline {
namespace {

using testing::HasSubstr;

constexpr int kRankTimeout = 10;  // seconds of silence
// For all to end: the silence, the roll call, and a launcher's grace.
constexpr int kBound = 40;

// Namespaces host0, host1, ... with addresses 10.77.0.1, 10.77.0.2, ..., each by a cable to one
// bridge.
class Hosts {
 public:
  explicit Hosts(int count) : count_(count) {
    must(
        fmt::format("ip netns add {0}s && ip -n {0}s link add bridge type bridge && ip -n {0}s "
                    "link set bridge up",
                    prefix_));
    for (int i = 0; i < count; ++i) {
      must(
          fmt::format("ip netns add {0}{1} && ip link add {2}{1} netns {0}{1} type veth peer name "
                      "port{1} netns {0}s && ip -n {0}s link set port{1} master bridge up && "
                      "ip -n {0}{1} link set lo up && ip -n {0}{1} link set {2}{1} up && "
                      "ip -n {0}{1} addr add 10.77.0.{3}/24 dev {2}{1}",
                      prefix_, i, "eth", i + 1));
    }
  }
  ~Hosts() {
    for (int i = 0; i < count_; ++i)
      test::run_command(fmt::format("ip netns del {}{}", prefix_, i));
    test::run_command(fmt::format("ip netns del {}s", prefix_));
  }

  bool made() const { return made_; }
  // Bash: runs `command` on host `i`, under that name.
  std::string on(int i, const std::string& command) const {
    return fmt::format("ip netns exec {0}{1} unshare --uts bash -c 'hostname host{1}; exec {2}'",
                       prefix_, i, command);
  }
  std::string link(int i, const char* state) const {
    return fmt::format("ip -n {0}s link set port{1} {2}", prefix_, i, state);
  }

 private:
  void must(const std::string& command) {
    made_ = made_ && test::run_command(command).exit_code == 0;
  }
  std::string prefix_ = fmt::format("sl{}-", getpid());
  int count_;
  bool made_ = true;
};

int64_t faults() {
  const char* text = std::getenv("SIGHTLINE_FAULTS");
  return text == nullptr ? 2 : std::atoll(text);
}

class SlowHosts : public test::SmallRun {
 protected:
  void SetUp() override {
    SIGHTLINE_NEEDS(test::environment_path("SIGHTLINE_BINARY"));
    if (geteuid() != 0 || test::run_command("ip -V").exit_code != 0) {
      GTEST_SKIP() << "needs root and `ip` (Debian: iproute2) to make network namespaces";
    }
    begin(test::many_steps_recipe());
  }

  // A bash script: `sightline launch` on each host, its words into <name>-<i>.log, its exit code at
  // the end of them; then `meanwhile`; then it waits for all.
  struct Flags {
    std::string launch, train;
  };
  test::CommandResult launch(const Hosts& hosts, int count, const std::string& name,
                             const Flags& flags, const std::string& meanwhile) const {
    std::string script = "cd " + path("").string() + "\nset -m\n";
    for (int i = 0; i < count; ++i) {
      script += fmt::format(
          "({}; echo exit $? >> {}-{}.log) &\n",
          hosts.on(
              i, fmt::format("{} launch --nnodes {} --node-rank {} --rendezvous "
                             "10.77.0.1:29510 --grace 2 --silence {} {} -- train recipe.toml "
                             "--output {} --rank-timeout {} {} > {}-{}.log 2>&1",
                             test::environment_path("SIGHTLINE_BINARY").string(), count, i,
                             kRankTimeout, flags.launch, name, kRankTimeout, flags.train, name, i)),
          name, i);
    }
    script +=
        R"bash(
steps() {
  until [ -f $1/run.jsonl ] && [ $(grep -c '"loss"' $1/run.jsonl) -ge $2 ]; do
    [ -n "$(jobs -r)" ] || exit 9
    sleep 0.05
  done
}
signal_rank() {
  for p in /proc/[0-9]*; do
    if tr '\0' '\n' < $p/environ 2>/dev/null | grep -qx "RANK=$1" &&
       [ "$(readlink $p/cwd)" = "$PWD" ]; then kill -s $2 ${p#/proc/}; fi
  done
}
)bash" + meanwhile +
        "\nstruck=$(date +%s%N)\nwait\necho took $((($(date +%s%N) - struck) / 1000000)) ms\n";
    write(name + ".sh", script);
    return test::run_command("bash " + path(name + ".sh").string());
  }
  std::string log_of(const std::string& name, int host) const {
    return read_file(path(fmt::format("{}-{}.log", name, host)));
  }
  static double seconds_in(const std::string& output) {
    const size_t at = output.rfind("took ");
    return at == std::string::npos ? 1e9 : std::stod(output.substr(at + 5)) / 1000;
  }

  // The fault at a random step, on hosts of one rank each; what the hosts in `told` say must name
  // the lost one.
  void strike(const char* name, const std::function<std::string(const Hosts&, int victim)>& fault,
              const std::function<std::string(const Hosts&, int victim)>& mend) const {
    const int count = 3;
    const Hosts hosts(count);
    ASSERT_TRUE(hosts.made());
    launch(hosts, count, "whole", {}, "");
    ASSERT_THAT(log_of("whole", 0), HasSubstr("exit 0"));
    Rng rng(11);
    double longest = 0;
    for (int64_t i = 0; i < faults(); ++i) {
      const int victim = 1 + static_cast<int>(rng.below(2));
      const auto step = static_cast<int>(3 + rng.below(20));
      const double later = 0.02 * static_cast<double>(rng.below(10));
      const std::string run = fmt::format("{}{}", name, i);
      const auto result = launch(
          hosts, count, run, {},
          fmt::format("steps {} {}; sleep {:.2f}; {}", run, step, later, fault(hosts, victim)));
      longest = std::max(longest, seconds_in(result.output));
      EXPECT_LT(seconds_in(result.output), kBound) << run;
      for (int host = 0; host < count; ++host) {
        EXPECT_THAT(log_of(run, host), HasSubstr("exit 1")) << run << " host " << host;
        if (host == victim) continue;
        EXPECT_THAT(log_of(run, host), HasSubstr(fmt::format("lost rank {0} on host{0}", victim)))
            << run << " host " << host;
      }
      test::run_command(mend(hosts, victim));
      launch(hosts, count, run, {.train = "--resume"}, "");
      for (int host = 0; host < count; ++host) {
        ASSERT_THAT(log_of(run, host), HasSubstr("exit 0")) << log_of(run, host);
      }
      expect_the_same_weights("whole", run);
    }
    std::printf("%s, %d times on %d hosts: all had ended within %.1f s\n", name,
                static_cast<int>(faults()), count, longest);
  }
};

std::string nothing(const Hosts&, int) { return "true"; }

TEST_F(SlowHosts, OneGroupAcrossTwoAndThree) {
  // Three addends are summed in another order in common memory; of two there is no order.
  ASSERT_EQ(run("launch --nproc 3 -- train recipe.toml --sums sockets --output here").exit_code, 0);
  const Hosts hosts(3);
  ASSERT_TRUE(hosts.made());
  launch(hosts, 3, "three", {}, "");
  launch(hosts, 2, "two", {}, "");
  for (const char* name : {"three", "two"}) {
    EXPECT_THAT(log_of(name, 0), HasSubstr("exit 0")) << log_of(name, 0);
  }
  expect_the_same_weights("here", "three");
  ASSERT_EQ(run("launch --nproc 2 -- train recipe.toml --output here2").exit_code, 0);
  expect_the_same_weights("here2", "two");
}

TEST_F(SlowHosts, ACutLink) {
  strike(
      "cut", [](const Hosts& hosts, int victim) { return hosts.link(victim, "down"); },
      [](const Hosts& hosts, int victim) { return hosts.link(victim, "up"); });
}

TEST_F(SlowHosts, AKilledRank) {
  strike(
      "killed", [](const Hosts&, int victim) { return fmt::format("signal_rank {} KILL", victim); },
      nothing);
}

TEST_F(SlowHosts, AStoppedRank) {
  strike(
      "stopped",
      [](const Hosts&, int victim) { return fmt::format("signal_rank {} STOP", victim); }, nothing);
}

// The link comes back while the launchers try again.
TEST_F(SlowHosts, RestartsFindEachOtherAgain) {
  const Hosts hosts(2);
  ASSERT_TRUE(hosts.made());
  launch(hosts, 2, "whole", {}, "");
  launch(hosts, 2, "r", {.launch = "--restarts 9"},
         "steps r 9; " + hosts.link(1, "down") + "; sleep 15; " + hosts.link(1, "up"));
  for (int host = 0; host < 2; ++host) {
    ASSERT_THAT(log_of("r", host), HasSubstr("exit 0")) << log_of("r", host);
    EXPECT_THAT(log_of("r", host), HasSubstr("restart 1 of 9"));
  }
  expect_the_same_weights("whole", "r");
}

}  // namespace
}  // namespace sightline
