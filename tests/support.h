#pragma once
// What the tests share: where real data and the Python oracles are, and folders to write into.

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

namespace sightline::test {

inline std::filesystem::path environment_path(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::filesystem::path() : std::filesystem::path(value);
}

inline std::filesystem::path source_folder() {
  const auto named = environment_path("SIGHTLINE_SOURCE");
  return named.empty() ? std::filesystem::path(__FILE__).parent_path().parent_path() : named;
}

// The real data of the workplace; may be absent: SIGHTLINE_NEEDS(data_folder() / "flickr8k").
inline std::filesystem::path data_folder() {
  const auto named = environment_path("SIGHTLINE_DATA");
  return named.empty() ? source_folder() / "../shared/data" : named;
}

// A Python with transformers, tokenizers, Pillow and pycocoevalcap, made by `./dev oracle`.
inline std::filesystem::path oracle_python() {
  const auto named = environment_path("SIGHTLINE_ORACLE");
  return named.empty() ? source_folder() / ".deps/oracle/bin/python" : named;
}

// A new empty folder, removed with this object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "sightline-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

struct CommandResult {
  int exit_code = -1;  // 128 + n where signal n ended it
  std::string output;  // stdout, and stderr too
};

inline CommandResult run_command(const std::string& command) {
  CommandResult result;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return result;
  std::array<char, 4096> buffer;
  size_t count = 0;
  while ((count = fread(buffer.data(), 1, buffer.size(), pipe)) > 0) {
    result.output.append(buffer.data(), count);
  }
  const int status = pclose(pipe);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

// Runs tools/oracle_<name>.py with the oracle's Python.
inline CommandResult run_oracle(const std::string& name, const std::string& arguments) {
  return run_command(oracle_python().string() + " " +
                     (source_folder() / "tools" / ("oracle_" + name + ".py")).string() + " " +
                     arguments);
}

}  // namespace sightline::test

#define SIGHTLINE_NEEDS(wanted)                                           \
  do {                                                                    \
    if (!std::filesystem::exists(wanted))                                 \
      GTEST_SKIP() << "needs " << std::filesystem::path(wanted).string(); \
  } while (false)
