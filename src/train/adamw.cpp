#include "train/adamw.h"

#include "kernels/array_kernels.h"
#include "model/device_kernels.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/div.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/zeros.h>

namespace sightline {
namespace {

// What a step moved a parameter by, from what it left behind: in pieces, so that its own memory is
// a few MiB.
at::Tensor change_of(const AdamWParameter& parameter, const AdamWStep& step) {
  constexpr int64_t kPiece = 1 << 19;
  const double first_share = 1.0 - std::pow(step.beta1, step.number);
  const double second_share = 1.0 - std::pow(step.beta2, step.number);
  const at::Tensor weight = parameter.master.view({-1});
  const at::Tensor m = parameter.first.view({-1}), v = parameter.second.view({-1});
  at::Tensor squares = at::zeros({}, weight.options());
  for (int64_t begin = 0; begin < weight.numel(); begin += kPiece) {
    const int64_t count = std::min(kPiece, weight.numel() - begin);
    at::Tensor change = (v.narrow(0, begin, count) / second_share).sqrt_().add_(step.epsilon);
    change = at::div_out(change, m.narrow(0, begin, count), change).div_(first_share);
    // after = before (1 - rate decay) - rate u, so before - after = rate (u + decay after) / (1 -
    // rate decay).
    if (step.decay > 0) change.add_(weight.narrow(0, begin, count), step.decay);
    squares += at::linalg_vector_norm(change).square();
  }
  const double scale = step.rate / (1.0 - step.rate * step.decay);
  return squares * scale * scale;
}

bool has_kernel(const AdamWParameter& parameter) {
  const bool is_master = parameter.weight.is_alias_of(parameter.master);
  const at::Device device = parameter.master.device();
  return (device.is_cpu() || device_kernels(device) != nullptr) &&
         parameter.master.scalar_type() == at::kFloat &&
         (is_master || parameter.weight.scalar_type() == at::kBFloat16) &&
         parameter.weight.is_contiguous() && parameter.gradient.is_contiguous();
}

AdamWNumbers numbers_of(const AdamWStep& step) {
  const auto single = [](double number) { return static_cast<float>(number); };
  return {.gradient_scale = single(step.gradient_scale),
          .rate = single(step.rate),
          .decay = single(step.decay),
          .beta1 = single(step.beta1),
          .beta2 = single(step.beta2),
          .epsilon = single(step.epsilon),
          .first_share = single(1.0 - std::pow(step.beta1, step.number)),
          .second_share = single(1.0 - std::pow(step.beta2, step.number))};
}

// What the kernels read and write; `weight` is null where the master is the weight.
struct Memory {
  const float* gradient;
  float *master, *first, *second;
  uint16_t* weight;

  explicit Memory(const AdamWParameter& parameter)
      : gradient(parameter.gradient.const_data_ptr<float>()),
        master(parameter.master.mutable_data_ptr<float>()),
        first(parameter.first.mutable_data_ptr<float>()),
        second(parameter.second.mutable_data_ptr<float>()),
        weight(parameter.weight.is_alias_of(parameter.master)
                   ? nullptr
                   : static_cast<uint16_t*>(parameter.weight.mutable_data_ptr())) {}
};

// Pieces are fixed, so that the sum does not depend on the threads.
at::Tensor step_on_cpu(const AdamWParameter& parameter, const AdamWStep& step) {
  constexpr int64_t kPiece = 1 << 16;
  const AdamWKernel kernel = array_kernels().front()->adamw;
  const AdamWNumbers numbers = numbers_of(step);
  const Memory memory(parameter);
  const int64_t size = parameter.master.numel(), pieces = (size + kPiece - 1) / kPiece;
  std::vector<double> squares(static_cast<size_t>(pieces));
  at::parallel_for(0, pieces, 1, [&](int64_t from, int64_t to) {
    for (int64_t piece = from; piece < to; ++piece) {
      const int64_t at = piece * kPiece;
      squares[static_cast<size_t>(piece)] =
          kernel(numbers, std::min(kPiece, size - at), memory.gradient + at, memory.master + at,
                 memory.first + at, memory.second + at,
                 memory.weight == nullptr ? nullptr : memory.weight + at);
    }
  });
  return at::full({}, std::accumulate(squares.begin(), squares.end(), 0.0), at::kDouble);
}

at::Tensor step_on_device(const AdamWParameter& parameter, const AdamWStep& step) {
  const at::Tensor& master = parameter.master;
  const c10::DeviceGuard guard(master.device());
  const Memory memory(parameter);
  const at::Tensor squares =
      at::empty({adamw_pieces(master.numel())}, master.options().dtype(at::kDouble));
  device_kernels(master.device())
      ->adamw(numbers_of(step), master.numel(), memory.gradient, memory.master, memory.first,
              memory.second, memory.weight, squares.mutable_data_ptr<double>());
  return squares.sum();
}

}  // namespace

at::Tensor adamw_step(const AdamWParameter& parameter, const AdamWStep& step) {
  if (!has_kernel(parameter)) return plain_adamw_step(parameter, step);
  return parameter.master.is_cpu() ? step_on_cpu(parameter, step) : step_on_device(parameter, step);
}

at::Tensor plain_adamw_step(const AdamWParameter& parameter, const AdamWStep& step) {
  const at::Tensor number = at::full({}, step.number, parameter.master.options().dtype(at::kFloat));
  at::Tensor gradient = parameter.gradient;
  if (step.gradient_scale != 1) gradient = gradient.mul_(step.gradient_scale);
  at::_fused_adamw_({parameter.master}, {gradient}, {parameter.first}, {parameter.second}, {},
                    {number}, step.rate, step.beta1, step.beta2, step.decay, step.epsilon,
                    /*amsgrad=*/false, /*maximize=*/false);
  at::Tensor weight = parameter.weight;
  if (!weight.is_alias_of(parameter.master)) weight.copy_(parameter.master);
  return change_of(parameter, step);
}

}  // namespace sightline
