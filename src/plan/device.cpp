#include "plan/device.h"

#include "base/log.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <c10/core/GradMode.h>

namespace sightline {

std::span<const Device> known_devices() {
  static constexpr std::array<Device, 4> kDevices = {{{"h100", 989.4, 66.9, 80, 450},
                                                      {"h200", 989.4, 66.9, 141, 450},
                                                      {"a100", 312, 19.5, 80, 300},
                                                      {"l4", 121, 30.3, 24, 32}}};
  return kDevices;
}

const Device* device_named(std::string_view name) {
  const auto devices = known_devices();
  const auto found = std::ranges::find(devices, name, &Device::name);
  return found == devices.end() ? nullptr : &*found;
}

Rate rate_of(const Device& device, NumberType numbers, double utilisation, int64_t gpus) {
  const double peak = numbers == NumberType::bf16 ? device.bf16_tflops : device.fp32_tflops;
  return {.flops_per_second = peak * 1e12 * utilisation,
          .link_bytes_per_second = device.link_gb * 1e9,
          .gpus = gpus};
}

StageTime stage_time(const StagePlan& stage, const Rate& rate) {
  const StageWork& work = stage.work;
  const auto gpus = static_cast<double>(rate.gpus);
  // A step of 10 micro-batches keeps 8 GPUs for as long as 16 would.
  const double batches = work.micro_batches / work.steps;
  const double share = std::ceil(batches / gpus - 1e-9) / batches;
  StageTime time;
  time.steps = work.flops.total() * share / rate.flops_per_second;
  time.steps += work.optimizer_flops / rate.flops_per_second;  // every GPU makes the whole step
  if (rate.gpus > 1) {
    const double bytes = 4 * static_cast<double>(stage.trained());
    time.steps += work.steps * 2 * (gpus - 1) / gpus * bytes / rate.link_bytes_per_second;
  }
  time.features = stage.features.flops / (gpus * rate.flops_per_second);
  return time;
}

double measured_product_rate(NumberType numbers) {
  const c10::NoGradGuard no_grad;
  constexpr int64_t kSide = 1024;
  const auto dtype = numbers == NumberType::bf16 ? at::kBFloat16 : at::kFloat;
  const at::Tensor a = at::ones({kSide, kSide}, dtype), b = at::ones({kSide, kSide}, dtype);
  at::matmul(a, b);  // the first call sets up
  const double start = seconds_now();
  double products = 0, seconds = 0;
  while (seconds < 0.5) {
    at::matmul(a, b);
    products += 1;
    seconds = seconds_now() - start;
  }
  return products * 2.0 * kSide * kSide * kSide / seconds;
}

}  // namespace sightline
