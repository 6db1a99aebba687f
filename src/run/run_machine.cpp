#include "run/run_machine.h"

#include "base/machine.h"

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <fmt/format.h>
#include <torch/headeronly/version.h>

namespace sightline {

Json describe_machine() {
  const Machine machine = this_machine();
  const double gib = static_cast<double>(machine.memory) / (1 << 30);
  return {{"device", "CPU"},
          {"instructions", at::get_cpu_capability()},
          {"cores", machine.cores},
          {"threads", at::get_num_threads()},
          {"memory", fmt::format("{:.1f} GiB", gib)},
          {"engine", fmt::format("LibTorch {}", TORCH_VERSION)}};
}

}  // namespace sightline
