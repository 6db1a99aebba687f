#include "train/adamw.h"

#include "kernels/array_kernels.h"
#include "model/device_kernels.h"
#include "train/piece_sums.h"

#include <algorithm>
#include <cmath>

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
  const at::Tensor m = parameter.first.view({-1}), v = parameter.second.view({-1});
  at::Tensor squares = at::zeros({}, m.options());
  for (int64_t begin = 0; begin < m.numel(); begin += kPiece) {
    const int64_t count = std::min(kPiece, m.numel() - begin);
    at::Tensor change = (v.narrow(0, begin, count) / second_share).sqrt_().add_(step.epsilon);
    change = at::div_out(change, m.narrow(0, begin, count), change).div_(first_share);
    // after = before (1 - rate decay) - rate u, so before - after = rate (u + decay after) / (1 -
    // rate decay).
    if (step.decay > 0) change.add_(parameter.master.piece(begin, count).numbers(), step.decay);
    squares += at::linalg_vector_norm(change).square();
  }
  const double scale = step.rate / (1.0 - step.rate * step.decay);
  return squares * scale * scale;
}

bool is_one_of(const at::Tensor& x, at::ScalarType a, at::ScalarType b) {
  return x.is_contiguous() && (x.scalar_type() == a || x.scalar_type() == b);
}

bool has_kernel(const AdamWParameter& parameter) {
  const at::Tensor& weight = parameter.master.weight;
  const at::ScalarType own = weight.scalar_type();
  return (weight.is_cpu() || device_kernels(weight.device()) != nullptr) &&
         is_one_of(weight, at::kFloat, at::kBFloat16) &&
         is_one_of(parameter.gradient, at::kFloat, own);
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

// What the kernels read and write.
template <class Weight, class Gradient>
struct Memory {
  const Gradient* gradient;
  Weight* weight;
  int16_t* rest;  // null where the weight is the master
  float *first, *second;

  explicit Memory(const AdamWParameter& parameter)
      : gradient(static_cast<const Gradient*>(parameter.gradient.const_data_ptr())),
        weight(static_cast<Weight*>(parameter.master.weight.mutable_data_ptr())),
        rest(parameter.master.is_weight() ? nullptr
                                          : parameter.master.rest.mutable_data_ptr<int16_t>()),
        first(parameter.first.mutable_data_ptr<float>()),
        second(parameter.second.mutable_data_ptr<float>()) {}
};

template <class Weight, class Gradient>
at::Tensor step_on_cpu(AdamWKernel<Weight, Gradient> kernel, const AdamWParameter& parameter,
                       const AdamWStep& step) {
  const AdamWNumbers numbers = numbers_of(step);
  const Memory<Weight, Gradient> memory(parameter);
  return sum_of_pieces(parameter.first.numel(), [&](int64_t begin, int64_t count) {
    return kernel(numbers, count, memory.gradient + begin, memory.weight + begin,
                  memory.rest == nullptr ? nullptr : memory.rest + begin, memory.first + begin,
                  memory.second + begin);
  });
}

template <class Weight, class Gradient>
at::Tensor step_on_device(CudaAdamW<Weight, Gradient> kernel, const AdamWParameter& parameter,
                          const AdamWStep& step) {
  const c10::DeviceGuard guard(parameter.first.device());
  const Memory<Weight, Gradient> memory(parameter);
  const int64_t size = parameter.first.numel();
  const at::Tensor squares =
      at::empty({adamw_pieces(size)}, parameter.first.options().dtype(at::kDouble));
  kernel(numbers_of(step), size, memory.gradient, memory.weight, memory.rest, memory.first,
         memory.second, squares.mutable_data_ptr<double>());
  return squares.sum();
}

}  // namespace

at::Tensor adamw_step(const AdamWParameter& parameter, const AdamWStep& step) {
  if (!has_kernel(parameter)) return plain_adamw_step(parameter, step);
  const bool full = parameter.master.is_weight();
  const bool by_sums = parameter.gradient.scalar_type() == at::kFloat;
  if (parameter.first.is_cpu()) {
    const AdamWKernels& kernels = array_kernels().front()->adamw;
    if (full) return step_on_cpu(kernels.fp32, parameter, step);
    if (by_sums) return step_on_cpu(kernels.bf16_by_sums, parameter, step);
    return step_on_cpu(kernels.bf16, parameter, step);
  }
  const CudaKernels& kernels = *device_kernels(parameter.first.device());
  if (full) return step_on_device(kernels.adamw_fp32, parameter, step);
  if (by_sums) return step_on_device(kernels.adamw_bf16_by_sums, parameter, step);
  return step_on_device(kernels.adamw_bf16, parameter, step);
}

at::Tensor plain_adamw_step(const AdamWParameter& parameter, const AdamWStep& step) {
  const at::Tensor master = parameter.master.numbers();
  const at::Tensor number = at::full({}, step.number, master.options().dtype(at::kFloat));
  const at::Tensor gradient = parameter.gradient.to(master.scalar_type()) * step.gradient_scale;
  at::_fused_adamw_({master}, {gradient}, {parameter.first}, {parameter.second}, {}, {number},
                    step.rate, step.beta1, step.beta2, step.decay, step.epsilon,
                    /*amsgrad=*/false, /*maximize=*/false);
  if (!parameter.master.is_weight()) parameter.master.put(master);
  return change_of(parameter, step);
}

}  // namespace sightline
