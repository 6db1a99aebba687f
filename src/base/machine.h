#pragma once
// The machine that the program runs on, as Linux tells it.

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sightline {

struct CpuInfo {
  std::string model;            // "AMD EPYC 9554"; empty where it is not told
  std::set<std::string> flags;  // as /proc/cpuinfo names them: avx2, avx512_bf16, amx_bf16, ...
};

// `text` is that of /proc/cpuinfo; its first processor counts.
CpuInfo parse_cpuinfo(std::string_view text);

struct InstructionSet {
  std::string_view name;
  std::string_view use;  // what it quickens
  bool present = false;
};

// AVX2, AVX-512, bf16 and AMX, in this order.
std::vector<InstructionSet> instruction_sets(const CpuInfo& cpu);

// Whether the CPU multiplies bf16 itself; where not, bf16 is slower than fp32.
bool multiplies_bf16(const CpuInfo& cpu);

struct Machine {
  CpuInfo cpu;
  int64_t cores = 0;              // that this process may run on
  int64_t memory = 0;             // bytes that this process may have, a container's limit included
  int64_t free_memory = 0;        // bytes, of the whole machine
  std::vector<std::string> gpus;  // names of NVIDIA's, as the driver tells them
};

// What cannot be found stays empty or 0.
Machine this_machine();

}  // namespace sightline
