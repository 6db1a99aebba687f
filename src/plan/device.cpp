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

namespace {

// All buckets but the last travel while backward goes on (train/gradient_exchange.h): not where
// micro-batches are computed side by side, nor where each micro-batch's sums go to their owners.
double overlapped_share(const Recipe& recipe, const Cluster& cluster) {
  if (recipe.side_by_side > 1 || cluster.sharding == Sharding::gradients) return 0;
  return 1.0 - 1.0 / static_cast<double>(kGradientBuckets);
}

}  // namespace

Rate rate_of(const Device& device, const Recipe& recipe, double utilisation,
             const Cluster& cluster) {
  const double peak = recipe.numbers == NumberType::bf16 ? device.bf16_tflops : device.fp32_tflops;
  double link = device.link_gb * 1e9;
  if (cluster.machines > 1 && cluster.link_gbit > 0) {
    link = std::min(link, cluster.link_gbit * 1e9 / 8);
  }
  return {.flops_per_second = peak * 1e12 * utilisation,
          .link_bytes_per_second = link,
          .gpus = cluster.gpus * cluster.machines,
          .sharding = cluster.sharding,
          .gradient_bytes = recipe.gradient_sums == NumberType::bf16 ? 2.0 : 4.0,
          .overlapped = overlapped_share(recipe, cluster)};
}

StageTime stage_time(const StagePlan& stage, const Rate& rate) {
  const StageWork& work = stage.work;
  const auto gpus = static_cast<double>(rate.gpus);
  // A step of 10 micro-batches keeps 8 GPUs for as long as 16 would.
  const double batches = work.micro_batches / work.steps;
  const double share = std::ceil(batches / gpus - 1e-9) / batches;
  StageTime time;
  time.steps = work.flops.total() * share / rate.flops_per_second;
  // Every GPU makes the whole optimizer step, or its share of it.
  const double moved = rate.sharding == Sharding::none ? 1 : 1 / gpus;
  time.steps += moved * work.optimizer_flops / rate.flops_per_second;
  if (rate.gpus > 1) {
    const double once_round = (gpus - 1) / gpus / rate.link_bytes_per_second;
    const auto trained = static_cast<double>(stage.trained());
    const double weights = rate.sharding == Sharding::none ? 0 : 2 * trained;
    const double sums = rate.sharding == Sharding::gradients ? std::ceil(batches / gpus - 1e-9) : 2;
    const double summing = work.steps * once_round * sums * rate.gradient_bytes * trained;
    // During the backward pass of a step's last micro-batch.
    const Flops& flops = work.flops;
    const double backward =
        work.steps / work.micro_batches * (flops.total() - flops.forward) / rate.flops_per_second;
    time.hidden = std::min(rate.overlapped * summing, backward);
    time.communication = summing - time.hidden + work.steps * once_round * weights;
  }
  time.features = stage.features.flops / (gpus * rate.flops_per_second);
  return time;
}

void add_mishaps(StageTime& time, const StagePlan& stage, const Cluster& cluster,
                 const CheckpointRecipe& checkpoint, const Mishaps& mishaps) {
  const auto every = static_cast<double>(checkpoint.every);
  const double count = every > 0 ? std::max(1.0, std::floor(stage.work.steps / every)) : 1;
  // Rank 0 writes all of it, or each machine what its ranks hold.
  const Memory& memory = stage.memory;
  const double writers =
      cluster.sharding == Sharding::none ? 1 : static_cast<double>(cluster.machines);
  const double ranks = static_cast<double>(cluster.gpus * cluster.machines);
  const double held = memory.masters + memory.optimizer + memory.averages;
  const double state = cluster.sharding == Sharding::none ? held : held * ranks / writers;
  const double going = time.all();
  const double bytes = memory.weights + state;
  const double writing = bytes / mishaps.bytes_written_a_second;
  // In the background steps wait for the copy, and where the one before is still being written.
  const bool background = checkpoint.background && every > 0;
  time.checkpoints = count * (background ? bytes / mishaps.bytes_copied_a_second +
                                               std::max(0.0, writing - going / count)
                                         : writing);
  const double failures = going / 3600 * ranks / mishaps.hours_between_failures;
  time.restarts =
      failures * (going / count / 2 + (background ? writing : 0) + mishaps.restart_seconds);
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
