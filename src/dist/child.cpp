#include "dist/child.h"

#include "base/error.h"
#include "dist/step_teller.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace sightline {

namespace {

// What other launchers tell of their own ranks, which ours are not.
constexpr const char* kOthers[] = {"SLURM_PROCID",
                                   "SLURM_LOCALID",
                                   "OMPI_COMM_WORLD_RANK",
                                   "OMPI_COMM_WORLD_SIZE",
                                   "OMPI_COMM_WORLD_LOCAL_RANK",
                                   "TORCHELASTIC_USE_AGENT_STORE"};

struct Pipe {
  int read_end = -1, write_end = -1;
};

Pipe make_pipe() {
  int ends[2] = {-1, -1};
  check(pipe2(ends, O_CLOEXEC) == 0, "cannot start a rank: {}", std::strerror(errno));
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return {ends[0], ends[1]};
}

}  // namespace

Child::Child(const std::vector<std::string>& command, Variables variables,
             const std::vector<int>& cores, int64_t rank)
    : rank_(rank) {
  const Pipe out = make_pipe(), err = make_pipe(), steps = make_pipe();
  fcntl(steps.write_end, F_SETFL, O_NONBLOCK);
  variables[kStepFile] = std::to_string(steps.write_end);
  pid_ = fork();
  check(pid_ >= 0, "cannot start rank {}: {}", rank, std::strerror(errno));
  if (pid_ == 0) {
    dup2(out.write_end, STDOUT_FILENO);
    dup2(err.write_end, STDERR_FILENO);
    fcntl(steps.write_end, F_SETFD, 0);  // stays open for the rank
    become(command, variables, cores);
  }
  for (const Pipe& pipe : {out, err, steps}) close(pipe.write_end);
  out_ = {out.read_end, stdout, ""};
  err_ = {err.read_end, stderr, ""};
  steps_ = steps.read_end;
}

void Child::become(const std::vector<std::string>& command, const Variables& variables,
                   const std::vector<int>& cores) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);  // it ends, in good order, with the launcher
  for (const char* name : kOthers) unsetenv(name);
  for (const auto& [name, value] : variables) setenv(name.c_str(), value.c_str(), 1);
  if (!cores.empty()) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const int core : cores) CPU_SET(core, &set);
    sched_setaffinity(0, sizeof(set), &set);  // where it may not, slower is still right
  }
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  execv(words[0], words.data());
  std::fprintf(stderr, "cannot start %s: %s\n", words[0], std::strerror(errno));
  _exit(127);
}

Child::~Child() {
  if (runs()) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  for (const int file : {out_.file, err_.file, steps_}) {
    if (file >= 0) close(file);
  }
}

std::chrono::milliseconds Child::silence() const {
  if (!heard_) return {};
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                               *heard_);
}

void Child::send(int signal) const {
  if (runs()) kill(pid_, signal);
}

void Child::kill_it() {
  if (!runs() || killed_) return;
  killed_ = true;
  kill(pid_, SIGKILL);
}

void Child::add_files(std::vector<pollfd>& files) const {
  for (const int file : {out_.file, err_.file, steps_}) {
    if (file >= 0) files.push_back({.fd = file, .events = POLLIN, .revents = 0});
  }
}

void Child::look_after() {
  int status = 0;
  const bool ended = runs() && waitpid(pid_, &status, WNOHANG) == pid_;
  read_lines(out_);  // after its end there is no more to come
  read_lines(err_);
  read_steps();
  if (!ended) return;
  for (Lines* lines : {&out_, &err_}) {  // one that it began and did not end
    if (!lines->pending.empty()) put(*lines, std::exchange(lines->pending, ""));
  }
  pid_ = 0;
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  signal_ = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

void Child::read_lines(Lines& lines) {
  std::array<char, 4096> buffer;
  while (lines.file >= 0) {
    const ssize_t count = read(lines.file, buffer.data(), buffer.size());
    if (count < 0) return;  // nothing yet
    if (count == 0) {
      close(lines.file);
      lines.file = -1;
      return;
    }
    lines.pending.append(buffer.data(), static_cast<size_t>(count));
    size_t begin = 0;
    for (size_t end = 0; (end = lines.pending.find('\n', begin)) != std::string::npos;
         begin = end + 1) {
      put(lines, std::string_view(lines.pending).substr(begin, end - begin));
    }
    lines.pending.erase(0, begin);
  }
}

void Child::put(Lines& lines, std::string_view line) const {
  fmt::print(lines.to, "[{}] {}\n", rank_, line);
  std::fflush(lines.to);
}

void Child::read_steps() {
  int64_t step = 0;
  ssize_t count = 0;
  while (steps_ >= 0 && (count = read(steps_, &step, sizeof(step))) == sizeof(step)) {
    heard_ = std::chrono::steady_clock::now();
    if (step >= 0) step_ = step;
  }
  if (steps_ < 0 || count != 0) return;
  close(steps_);
  steps_ = -1;
}

}  // namespace sightline
