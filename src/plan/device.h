#pragma once
// How long operations take on a device, at a stated rate: the vendor's peak times a utilisation
// that is assumed.
//
// On several GPUs, data-parallel: a step's micro-batches are dealt out evenly, and the gradients'
// sums (4 bytes a trained parameter) go round a ring once a step, not hidden behind anything. Where
// ranks share the optimizer (ZeRO), the weights follow; where they share the sums, these go round
// for every micro-batch.

#include "plan/plan.h"
#include "recipe/recipe.h"
#include "train/optimizer.h"

#include <cstdint>
#include <span>
#include <string_view>

namespace sightline {

// Dense products, without sparsity. Sources: NVIDIA's data sheets of H100 SXM, H200 SXM, A100 SXM
// 80 GB (each NVLink's number halved, a direction) and L4 (PCIe 4.0 x16).
struct Device {
  std::string_view name;
  double bf16_tflops = 0, fp32_tflops = 0;
  double memory_gb = 0;
  double link_gb = 0;  // to the other GPUs, a second and direction
};

std::span<const Device> known_devices();
const Device* device_named(std::string_view name);  // null where it is not known

inline constexpr double kAssumedUtilisation = 0.4;

// GPUs that train together.
struct Cluster {
  int64_t gpus = 1;      // of a machine
  int64_t machines = 1;  // all alike
  double link_gbit = 0;  // between machines, a second and direction; 0: as between GPUs
  Sharding sharding = Sharding::none;
};

struct Rate {
  double flops_per_second = 0;       // of one device
  double link_bytes_per_second = 0;  // of the ring's slowest link
  int64_t gpus = 1;                  // on all machines
  Sharding sharding = Sharding::none;
  double gradient_bytes = 4;  // of a number between GPUs
  double overlapped = 0;      // share of the sums that can travel while backward goes on
};

Rate rate_of(const Device& device, const Recipe& recipe, double utilisation,
             const Cluster& cluster);

// In seconds.
struct StageTime {
  double steps = 0;          // micro-batches and optimizer
  double communication = 0;  // between devices, where nothing hides it
  double hidden = 0;         // between devices, while backward goes on: costs no time
  double features = 0;       // to be stored before the first step
  double reading = 0;        // what reading, packing and decoding take from the steps
  double checkpoints = 0;    // while steps wait for them
  double restarts = 0;       // expected: what failures cost
  double all() const { return steps + communication + features + reading + checkpoints + restarts; }
};

// Reading is left out: it is the host's, beside the device.
StageTime stage_time(const StagePlan& stage, const Rate& rate);

// What a long run meets, all of it assumed.
struct Mishaps {
  // Of one GPU and what belongs to it: about what Llama 3's training met, 419 unforeseen
  // interruptions in 54 days on 16,384 GPUs (arXiv 2407.21783, section 3.3.4).
  double hours_between_failures = 50'000;
  double restart_seconds = 300;         // to notice, start again and read the checkpoint
  double bytes_written_a_second = 1e9;  // of checkpoints, by each machine that writes
  double bytes_copied_a_second = 1e10;  // of one that is written in the background
};

// Adds to the time of a stage its checkpoints, and the failures to be expected: each costs half of
// what lies between two checkpoints, and a restart.
void add_mishaps(StageTime& time, const StagePlan& stage, const Cluster& cluster,
                 const CheckpointRecipe& checkpoint, const Mishaps& mishaps = {});

// This machine's rate for matrix products, in operations a second, by half a second of them.
double measured_product_rate(NumberType numbers);

}  // namespace sightline
