#include "tensor/device.h"

#include "base/error.h"
#include "base/machine.h"

#include <charconv>
#include <cstdlib>
#include <dlfcn.h>
#include <string>
#include <vector>

#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

namespace sightline {
namespace {

// Why the CUDA libraries cannot be loaded; "" where they are.
const std::string& cuda_problem() {
  static const std::string problem = [] {
    // cuBLAS reads it when it begins: without it its sums may differ from run to run.
    setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
    if (dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) != nullptr) return std::string();
    return std::string(dlerror());
  }();
  return problem;
}

// Before anything asks LibTorch about CUDA: it remembers the answer.
int64_t gpus_of_engine() {
  if (!cuda_problem().empty() || !at::hasCUDA()) return 0;
  return at::detail::getCUDAHooks().deviceCount();
}

[[noreturn]] void fail_without_gpu(std::string_view name) {
  if (!cuda_problem().empty()) {
    fail(
        "device \"{}\": LibTorch's CUDA libraries are not here ({}). On a machine with an NVIDIA "
        "GPU ./dev build installs them; device \"cpu\" does without",
        name, cuda_problem());
  }
  fail(
      "device \"{}\": LibTorch finds no GPU that it can use (nvidia-smi tells whether the driver "
      "does); device \"cpu\" does without",
      name);
}

// Repeatable sums: where LibTorch has none it warns. New memory is not filled for it. And fp32 is
// fp32: convolutions are not rounded to TF32, as products are not.
void make_exact() {
  at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/true);
  at::globalContext().setDeterministicCuDNN(true);
  at::globalContext().setDeterministicFillUninitializedMemory(false);
  at::globalContext().setAllowTF32CuDNN(false);
}

at::Device gpu(std::string_view name, int64_t number) {
  const int64_t count = gpus_of_engine();
  if (count == 0) fail_without_gpu(name);
  check(number < count, "device \"{}\" is GPU {} of this machine, which has {}: count from 0", name,
        number, count);
  make_exact();
  return {at::kCUDA, static_cast<c10::DeviceIndex>(number)};
}

}  // namespace

int64_t usable_gpus() { return this_machine().gpus.empty() ? 0 : gpus_of_engine(); }

at::Device compute_device(std::string_view name, int64_t local_rank) {
  if (name == "cpu") return at::kCPU;
  if (name == "auto") {
    const int64_t count = usable_gpus();
    return count == 0 ? at::Device(at::kCPU) : gpu(name, local_rank % count);
  }
  if (name == "cuda") return gpu(name, local_rank);
  constexpr std::string_view kPrefix = "cuda:";
  int64_t number = 0;
  const bool is_cuda = name.starts_with(kPrefix);
  const char* const end = name.data() + name.size();
  const auto read = std::from_chars(name.data() + (is_cuda ? kPrefix.size() : 0), end, number);
  check(is_cuda && read.ec == std::errc() && read.ptr == end && number >= 0,
        "device \"{}\": not known; cpu, cuda, cuda:N and auto are", name);
  return gpu(name, number);
}

at::Tensor on_device(const at::Tensor& host, at::Device device) {
  if (host.device() == device) return host;
  const bool pins = device.is_cuda() && host.is_cpu();
  return (pins ? host.pin_memory() : host).to(device, host.scalar_type(), /*non_blocking=*/pins);
}

std::vector<double> numbers_of(at::TensorList singles) {
  if (singles.empty()) return {};
  const at::Tensor all = at::stack(singles).to(at::kDouble).cpu();
  const double* const first = all.const_data_ptr<double>();
  return {first, first + all.numel()};
}

at::Tensor indices(std::span<const int64_t> values, at::Device device) {
  return on_device(at::tensor(at::IntArrayRef(values.data(), values.size()), at::kLong), device);
}

at::Tensor indices(std::span<const int32_t> values, at::Device device) {
  const std::vector<int64_t> wide(values.begin(), values.end());
  return indices(wide, device);
}

}  // namespace sightline
