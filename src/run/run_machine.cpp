#include "run/run_machine.h"

#include <thread>
#include <unistd.h>

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <fmt/format.h>
#include <torch/headeronly/version.h>

namespace sightline {

Json describe_machine() {
  const double bytes =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGE_SIZE));
  return {{"device", "CPU"},
          {"instructions", at::get_cpu_capability()},
          {"cores", std::thread::hardware_concurrency()},
          {"threads", at::get_num_threads()},
          {"memory", fmt::format("{:.1f} GiB", bytes / (1 << 30))},
          {"engine", fmt::format("LibTorch {}", TORCH_VERSION)}};
}

}  // namespace sightline
