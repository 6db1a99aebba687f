#include "run/run_log.h"

#include "base/error.h"
#include "base/file.h"

#include <sstream>

namespace sightline {

std::string log_lines_until(const std::filesystem::path& path, int64_t last_step) {
  if (!std::filesystem::exists(path)) return "";
  std::string kept;
  std::istringstream lines(read_file(path));
  for (std::string line; std::getline(lines, line);) {
    const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    // A torn last line (the program was killed while writing it) is behind every checkpoint.
    if (json.is_discarded() || json.value("step", INT64_MAX) > last_step) break;
    kept += line + "\n";
  }
  return kept;
}

RunLog::RunLog(std::filesystem::path path, int64_t last_step) : path_(std::move(path)) {
  write_file(path_, log_lines_until(path_, last_step));
  file_.open(path_, std::ios::app);
  check(file_.good(), "{}: cannot open to append", path_.string());
}

void RunLog::append(const Json& line) {
  file_ << line.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
  file_.flush();
  check(file_.good(), "{}: cannot write; is the disk full?", path_.string());
}

MemoryUse memory_use() {
  MemoryUse use;
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) use.now_mib = std::atof(line.c_str() + 6) / 1024;
    if (line.starts_with("VmHWM:")) use.peak_mib = std::atof(line.c_str() + 6) / 1024;
  }
  return use;
}

}  // namespace sightline
