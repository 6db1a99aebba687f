#pragma once
// Tests on several ranks: the test binary starts itself anew, once a rank, with the test at hand
// alone, and the test sees by is_rank() which it is.

#include "base/file.h"
#include "tests/support.h"

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

namespace sightline::test {

// In a rank: where all ranks of the test may write for the test that started them.
inline std::filesystem::path ranks_folder() { return environment_path("SIGHTLINE_RANKS_FOLDER"); }
inline bool is_rank() { return !ranks_folder().empty(); }

// A port that was free a moment ago.
inline int free_port() {
  const int file = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  const bool bound = bind(file, reinterpret_cast<sockaddr*>(&address), length) == 0 &&
                     getsockname(file, reinterpret_cast<sockaddr*>(&address), &length) == 0;
  close(file);
  return bound ? ntohs(address.sin_port) : 29500;
}

class Ranks {
 public:
  // Starts ranks 0 .. started - 1 of a run of `size` ranks.
  Ranks(int size, int started) {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    const std::string filter =
        std::string("--gtest_filter=") + test->test_suite_name() + "." + test->name();
    const std::string port = std::to_string(free_port());
    for (int rank = 0; rank < started; ++rank) {
      const pid_t child = fork();
      if (child == 0) become(rank, size, port, filter);
      children_.push_back(child);
    }
  }
  explicit Ranks(int size) : Ranks(size, size) {}
  ~Ranks() {
    for (size_t rank = 0; rank < children_.size(); ++rank) end(static_cast<int>(rank));
  }

  const std::filesystem::path& folder() const { return folder_.path(); }
  // What a rank wrote there; "" where it wrote nothing.
  std::string text(const std::string& name) const {
    return std::filesystem::exists(folder() / name) ? read_file(folder() / name) : "";
  }
  // Waits; true where the rank's own expectations held. Else shows what it printed.
  bool passes(int rank) {
    const int status = wait(rank);
    if (status != 0) {
      ADD_FAILURE() << "rank " << rank << ", wait status " << status << ":\n"
                    << text(log_name(rank));
    }
    return status == 0;
  }
  bool all_pass() {
    bool all = true;
    for (size_t rank = 0; rank < children_.size(); ++rank)
      all = passes(static_cast<int>(rank)) && all;
    return all;
  }
  void end(int rank) {
    pid_t& child = children_[static_cast<size_t>(rank)];
    if (child <= 0) return;
    kill(child, SIGKILL);
    wait(rank);
  }

 private:
  static std::string log_name(int rank) { return "rank-" + std::to_string(rank) + ".log"; }

  int wait(int rank) {
    int status = 0;
    waitpid(children_[static_cast<size_t>(rank)], &status, 0);
    children_[static_cast<size_t>(rank)] = 0;
    return status;
  }

  [[noreturn]] void become(int rank, int size, const std::string& port, const std::string& filter) {
    const std::string number = std::to_string(rank);
    setenv("RANK", number.c_str(), 1);
    setenv("LOCAL_RANK", number.c_str(), 1);
    setenv("WORLD_SIZE", std::to_string(size).c_str(), 1);
    setenv("MASTER_ADDR", "127.0.0.1", 1);
    setenv("MASTER_PORT", port.c_str(), 1);
    setenv("SIGHTLINE_RANKS_FOLDER", folder().c_str(), 1);
    setenv("OMP_NUM_THREADS", "1", 1);
    const int log = open((folder() / log_name(rank)).c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    execl("/proc/self/exe", "ranks", filter.c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }

  TemporaryFolder folder_;
  std::vector<pid_t> children_;
};

}  // namespace sightline::test
