#include "dist/launcher.h"

#include "base/error.h"
#include "base/log.h"
#include "dist/child.h"
#include "dist/place.h"

#include <arpa/inet.h>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>
#include <netinet/in.h>
#include <optional>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sightline {

namespace {

using Clock = std::chrono::steady_clock;

std::atomic<int> signal_to_pass_on = 0;

extern "C" void pass_on(int signal) { signal_to_pass_on = signal; }

std::string host_name() {
  char name[256] = {};
  return gethostname(name, sizeof(name) - 1) == 0 ? name : "this machine";
}

int64_t free_port() {
  const int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  const bool bound = bind(file, reinterpret_cast<sockaddr*>(&address), length) == 0 &&
                     getsockname(file, reinterpret_cast<sockaddr*>(&address), &length) == 0;
  close(file);
  check(bound, "cannot find a free port for the ranks to meet at: {}", std::strerror(errno));
  return ntohs(address.sin_port);
}

std::vector<int> own_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cores;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return cores;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &set)) cores.push_back(core);
  }
  return cores;
}

void pass_signals_on() {
  signal_to_pass_on = 0;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action {};
    action.sa_handler = pass_on;
    sigaction(signal, &action, nullptr);
  }
}

struct Failure {
  std::string message;
  bool usage = false;    // a rank did not take its command
  bool stopped = false;  // a signal asked for it
};

// One start of all ranks.
class Launcher {
 public:
  Launcher(const LaunchOptions& options, int64_t attempt)
      : options_(options), attempt_(attempt), host_(host_name()) {
    const std::vector<int> cores = own_cores();
    for (int64_t i = 0; i < options_.processes; ++i) {
      children_.push_back(std::make_unique<Child>(options_.command, variables_of(i),
                                                  share_of_cores(cores, i, options_.processes),
                                                  options_.machine * options_.processes + i));
    }
  }

  // Until all have ended; nothing where they ended well.
  std::optional<Failure> stay() {
    while (look_after_all()) {
      wait_for_output();
      if (const int signal = signal_to_pass_on.exchange(0); signal != 0) {
        passed_on_ = signal;
        for (const auto& child : children_) child->send(signal);
      }
      if (give_up_at_ && Clock::now() > *give_up_at_) {
        for (const auto& child : children_) child->kill_it();
      }
    }
    if (first_failed_ == nullptr) return std::nullopt;
    return failure();
  }

 private:
  Variables variables_of(int64_t local_rank) const {
    const int64_t rank = options_.machine * options_.processes + local_rank;
    return {{"RANK", std::to_string(rank)},
            {"WORLD_SIZE", std::to_string(options_.machines * options_.processes)},
            {"LOCAL_RANK", std::to_string(local_rank)},
            {"LOCAL_WORLD_SIZE", std::to_string(options_.processes)},
            {"MASTER_ADDR", options_.meeting_host},
            {"MASTER_PORT", std::to_string(options_.meeting_port)},
            {kAttempt, std::to_string(attempt_)}};
  }

  // False when all have ended.
  bool look_after_all() {
    bool any_runs = false;
    for (const auto& child : children_) {
      child->look_after();
      if (child->runs() && child->silence() > options_.silence && first_silent_ == nullptr) {
        first_silent_ = child.get();
        child->kill_it();
      }
      any_runs = any_runs || child->runs();
      if (child->runs() || child->ended_well() || first_failed_ != nullptr) continue;
      first_failed_ = child.get();
      give_up_at_ = Clock::now() + options_.grace;
    }
    return any_runs;
  }

  void wait_for_output() const {
    std::vector<pollfd> files;
    for (const auto& child : children_) child->add_files(files);
    poll(files.data(), files.size(), 100);
  }

  // One that fell silent or that a signal from elsewhere ended, else the first that failed.
  const Child& at_fault() const {
    if (first_silent_ != nullptr) return *first_silent_;
    for (const auto& child : children_) {
      if (child->signal() != 0 && !child->was_killed()) return *child;
    }
    return *first_failed_;
  }

  std::string killed_ones() const {
    std::string text;
    for (const auto& child : children_) {
      if (!child->was_killed() || child.get() == first_silent_) continue;
      text += fmt::format("; rank {} did not end within {:.0f} s and was killed", child->rank(),
                          std::chrono::duration<double>(options_.grace).count());
    }
    return text;
  }

  Failure failure() const {
    const Child& child = at_fault();
    const std::string when =
        child.step() < 0 ? "before its first step" : fmt::format("after step {}", child.step());
    const std::string who = fmt::format("rank {} on {}", child.rank(), host_);
    if (passed_on_ != 0 && child.signal() == 0) {
      return {.message = fmt::format("stopped by signal {} {}{}; go on with --resume", passed_on_,
                                     when, killed_ones()),
              .stopped = true};
    }
    if (&child == first_silent_) {
      return {.message = fmt::format("{} gave no sign of life for {:.0f} s {} and was killed{}",
                                     who, std::chrono::duration<double>(options_.silence).count(),
                                     when, killed_ones())};
    }
    if (child.signal() != 0) {
      return {.message = fmt::format("{} was ended by signal {} ({}) {}{}", who, child.signal(),
                                     strsignal(child.signal()), when, killed_ones()),
              .stopped = passed_on_ != 0};
    }
    if (child.exit_code() == 2) {
      return {.message = fmt::format("{} did not take its command", who), .usage = true};
    }
    return {.message = fmt::format("{} failed {} (exit code {}): what it said stands above{}", who,
                                   when, child.exit_code(), killed_ones())};
  }

  const LaunchOptions& options_;
  int64_t attempt_;  // from 0
  std::string host_;
  std::vector<std::unique_ptr<Child>> children_;
  const Child* first_failed_ = nullptr;
  const Child* first_silent_ = nullptr;
  std::optional<Clock::time_point> give_up_at_;
  int passed_on_ = 0;
};

}  // namespace

std::vector<int> share_of_cores(const std::vector<int>& cores, int64_t number, int64_t count) {
  const auto size = static_cast<int64_t>(cores.size());
  if (size == 0) return {};
  if (count >= size) return {cores[static_cast<size_t>(number % size)]};
  return {cores.begin() + number * size / count, cores.begin() + (number + 1) * size / count};
}

void launch_ranks(const LaunchOptions& options) {
  SL_ASSERT(options.processes > 0 && options.machine < options.machines, "{} processes",
            options.processes);
  pass_signals_on();
  for (int64_t attempt = 0;; ++attempt) {
    LaunchOptions start = options;
    if (options.meeting_port == 0) start.meeting_port = free_port();
    if (attempt > 0 && !options.restart_command.empty()) start.command = options.restart_command;
    const std::optional<Failure> failure = Launcher(start, attempt).stay();
    if (!failure) return;
    if (failure->usage) throw UsageError(failure->message);
    if (failure->stopped || attempt == options.restarts) throw Error(failure->message);
    log("{}; restart {} of {}", failure->message, attempt + 1, options.restarts);
  }
}

}  // namespace sightline
