#pragma once
// How long operations take on a device, at a stated rate: the vendor's peak times a utilisation
// that is assumed.
//
// On several GPUs, data-parallel: each holds the whole model and its optimizer, a step's
// micro-batches are dealt out evenly, and the gradients' sums (4 bytes a trained parameter) go
// round a ring once a step, not hidden behind anything.

#include "plan/plan.h"
#include "recipe/recipe.h"

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

struct Rate {
  double flops_per_second = 0;  // of one device
  double link_bytes_per_second = 0;
  int64_t gpus = 1;
};

Rate rate_of(const Device& device, NumberType numbers, double utilisation, int64_t gpus);

// In seconds.
struct StageTime {
  double steps = 0;     // micro-batches, optimizer, sums over devices
  double features = 0;  // to be stored before the first step
  double reading = 0;   // what reading, packing and decoding take from the steps
  double all() const { return steps + features + reading; }
};

// Reading is left out: it is the host's, beside the device.
StageTime stage_time(const StagePlan& stage, const Rate& rate);

// This machine's rate for matrix products, in operations a second, by half a second of them.
double measured_product_rate(NumberType numbers);

}  // namespace sightline
