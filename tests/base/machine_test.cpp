#include "base/machine.h"

#include <algorithm>
#include <thread>

#include <gtest/gtest.h>

namespace sightline {
namespace {

constexpr const char* kSapphireRapids =
    "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel\t\t: 143\n"
    "model name\t: Intel(R) Xeon(R) Platinum 8481C\n"
    "flags\t\t: fpu fma avx avx2 avx512f avx512_bf16 amx_bf16 amx_tile\n"
    "vmx flags\t: ept\n\nprocessor\t: 1\nmodel name\t: another\n";

bool has(const CpuInfo& cpu, std::string_view name) {
  for (const InstructionSet& set : instruction_sets(cpu)) {
    if (set.name == name) return set.present;
  }
  ADD_FAILURE() << name;
  return false;
}

TEST(Machine, ReadsItsProcessor) {
  const CpuInfo cpu = parse_cpuinfo(kSapphireRapids);
  EXPECT_EQ(cpu.model, "Intel(R) Xeon(R) Platinum 8481C");
  EXPECT_EQ(cpu.flags.size(), 8u);
  for (const char* name : {"AVX2", "AVX-512", "AVX-512 BF16", "AMX BF16"}) {
    EXPECT_TRUE(has(cpu, name)) << name;
  }
  EXPECT_TRUE(multiplies_bf16(cpu));
}

TEST(Machine, ClaimsNothingThatIsNotThere) {
  const CpuInfo old = parse_cpuinfo("model name\t: old\nflags\t\t: fpu sse2 avx2x xavx512f\n");
  for (const char* name : {"AVX2", "AVX-512", "AVX-512 BF16", "AMX BF16"}) {
    EXPECT_FALSE(has(old, name)) << name;
  }
  EXPECT_FALSE(multiplies_bf16(old));
  EXPECT_TRUE(parse_cpuinfo("").model.empty());
}

TEST(Machine, ThisOneHasCoresAndMemory) {
  const Machine machine = this_machine();
  EXPECT_GE(machine.cores, 1);
  EXPECT_LE(machine.cores, static_cast<int64_t>(std::max(1u, std::thread::hardware_concurrency())));
  EXPECT_GT(machine.memory, 0);
  EXPECT_GT(machine.free_memory, 0);
}

}  // namespace
}  // namespace sightline
