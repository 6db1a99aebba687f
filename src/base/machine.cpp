#include "base/machine.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sched.h>
#include <sstream>

namespace sightline {

namespace {

namespace fs = std::filesystem;

// Files of /proc tell no size, so they are read to their end; "" where there is none.
std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// What stands behind "key :" in the first such line, or "".
std::string_view value_of(std::string_view text, std::string_view key) {
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    const size_t colon = line.find(':');
    if (line.starts_with(key) && colon != std::string_view::npos &&
        line.find_first_not_of(" \t", key.size()) == colon) {
      const size_t value = line.find_first_not_of(" \t", colon + 1);
      return value == std::string_view::npos ? std::string_view() : line.substr(value);
    }
    begin = end + 1;
  }
  return {};
}

int64_t number_in(std::string_view text) {
  int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

int64_t usable_cores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  return sched_getaffinity(0, sizeof(cores), &cores) == 0 ? CPU_COUNT(&cores) : 0;
}

// A container's limit, or the whole machine's memory where it has none.
int64_t usable_memory(int64_t whole) {
  for (const char* file :
       {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    const int64_t limit = number_in(text_of(file));  // "max" is no number
    if (limit > 0) return std::min(limit, whole);
  }
  return whole;
}

std::vector<std::string> nvidia_gpus() {
  std::vector<std::string> names;
  std::error_code absent;
  for (const auto& entry : fs::directory_iterator("/proc/driver/nvidia/gpus", absent)) {
    const std::string text = text_of(entry.path() / "information");
    names.emplace_back(value_of(text, "Model"));
  }
  if (names.empty() && fs::exists("/dev/nvidia0", absent)) names.emplace_back("an NVIDIA GPU");
  return names;
}

}  // namespace

CpuInfo parse_cpuinfo(std::string_view text) {
  CpuInfo cpu{.model = std::string(value_of(text, "model name"))};
  std::istringstream flags{std::string(value_of(text, "flags"))};
  for (std::string flag; flags >> flag;) cpu.flags.insert(flag);
  return cpu;
}

std::vector<InstructionSet> instruction_sets(const CpuInfo& cpu) {
  const auto has = [&](const char* flag) { return cpu.flags.contains(flag); };
  return {{"AVX2", "fp32 products", has("avx2") && has("fma")},
          {"AVX-512", "fp32 products, twice as wide", has("avx512f")},
          {"AVX-512 BF16", "bf16 products", has("avx512_bf16")},
          {"AMX BF16", "bf16 products by tiles", has("amx_bf16")}};
}

bool multiplies_bf16(const CpuInfo& cpu) {
  return cpu.flags.contains("avx512_bf16") || cpu.flags.contains("amx_bf16");
}

Machine this_machine() {
  const std::string memory = text_of("/proc/meminfo");
  return {.cpu = parse_cpuinfo(text_of("/proc/cpuinfo")),
          .cores = usable_cores(),
          .memory = usable_memory(1024 * number_in(value_of(memory, "MemTotal"))),
          .free_memory = 1024 * number_in(value_of(memory, "MemAvailable")),
          .gpus = nvidia_gpus()};
}

}  // namespace sightline
