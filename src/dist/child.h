#pragma once
// Inside dist/: one rank that the launcher started, and what it says.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <map>
#include <optional>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace sightline {

using Variables = std::map<std::string, std::string>;

class Child {
 public:
  // On `cores` alone, where any are given; the environment is this process's, without what other
  // launchers set, and `variables`.
  Child(const std::vector<std::string>& command, Variables variables, const std::vector<int>& cores,
        int64_t rank);
  // Kills it, if it runs.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  int64_t rank() const { return rank_; }
  int64_t step() const { return step_; }  // that it told last; -1: none
  // Since its last sign of life; zero where it never gave one.
  std::chrono::milliseconds silence() const;
  bool runs() const { return pid_ > 0; }
  bool ended_well() const { return !runs() && exit_code_ == 0 && signal_ == 0; }
  int exit_code() const { return exit_code_; }
  int signal() const { return signal_; }  // that ended it; 0: none
  bool was_killed() const { return killed_; }

  void send(int signal) const;
  void kill_it();

  void add_files(std::vector<pollfd>& files) const;
  // Passes on what it has said and sees whether it still runs.
  void look_after();

 private:
  // A stream of lines.
  struct Lines {
    int file = -1;
    std::FILE* to = nullptr;
    std::string pending;
  };
  [[noreturn]] static void become(const std::vector<std::string>& command,
                                  const Variables& variables, const std::vector<int>& cores);
  void read_lines(Lines& lines);
  void put(Lines& lines, std::string_view line) const;
  void read_steps();

  int64_t rank_;
  pid_t pid_ = 0;
  Lines out_, err_;
  int steps_ = -1;
  int64_t step_ = -1;
  std::optional<std::chrono::steady_clock::time_point> heard_;
  int exit_code_ = 0, signal_ = 0;
  bool killed_ = false;
};

}  // namespace sightline
