#include "model/rms_norm.h"

#include "base/error.h"
#include "kernels/array_kernels.h"
#include "model/device_kernels.h"
#include "tensor/sum_type.h"

#include <algorithm>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

namespace sightline {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

template <class Number>
void forward_rows(const ArrayKernels<Number>& kernels, const at::Tensor& x_TD,
                  const at::Tensor& weight_D, double epsilon, at::Tensor& out_TD,
                  at::Tensor& scale_T) {
  const int64_t size = x_TD.size(1);
  const auto* const x = static_cast<const Number*>(x_TD.const_data_ptr());
  const auto* const weight = static_cast<const Number*>(weight_D.const_data_ptr());
  auto* const out = static_cast<Number*>(out_TD.mutable_data_ptr());
  float* const scale = scale_T.mutable_data_ptr<float>();
  at::parallel_for(0, x_TD.size(0), 64, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      scale[row] = kernels.rms_norm(x + row * size, weight, size, static_cast<float>(epsilon),
                                    out + row * size);
    }
  });
}

// The weight's gradient by fixed blocks of rows, which are then summed in their order, so that it
// does not depend on the threads.
template <class Number>
void backward_rows(const ArrayKernels<Number>& kernels, const variable_list& saved,
                   const at::Tensor& grad_TD, at::Tensor& x_grad_TD, at::Tensor& weight_grad_BD) {
  const int64_t rows = grad_TD.size(0), size = grad_TD.size(1), blocks = weight_grad_BD.size(0);
  const auto* const x = static_cast<const Number*>(saved[0].const_data_ptr());
  const auto* const weight = static_cast<const Number*>(saved[1].const_data_ptr());
  const float* const scale = saved[2].const_data_ptr<float>();
  const auto* const grad = static_cast<const Number*>(grad_TD.const_data_ptr());
  auto* const x_grad = static_cast<Number*>(x_grad_TD.mutable_data_ptr());
  float* const weight_grad = weight_grad_BD.mutable_data_ptr<float>();
  const int64_t block_rows = (rows + blocks - 1) / blocks;
  at::parallel_for(0, blocks, 1, [&](int64_t first, int64_t last) {
    for (int64_t row = first * block_rows; row < std::min(rows, last * block_rows); ++row) {
      kernels.rms_norm_backward(x + row * size, weight, scale[row], grad + row * size, size,
                                x_grad + row * size, weight_grad + row / block_rows * size);
    }
  });
}

void forward_on_device(const at::Tensor& x_TD, const at::Tensor& weight_D, double epsilon,
                       at::Tensor& out_TD, at::Tensor& scale_T) {
  with_device_kernels(x_TD, [&](const auto& kernels, auto number) {
    using Number = decltype(number);
    kernels.rms_norm(static_cast<const Number*>(x_TD.const_data_ptr()),
                     static_cast<const Number*>(weight_D.const_data_ptr()), x_TD.size(0),
                     x_TD.size(1), static_cast<float>(epsilon),
                     static_cast<Number*>(out_TD.mutable_data_ptr()),
                     scale_T.mutable_data_ptr<float>());
  });
}

void backward_on_device(const variable_list& saved, const at::Tensor& grad_TD,
                        at::Tensor& x_grad_TD, at::Tensor& weight_grad_BD) {
  with_device_kernels(grad_TD, [&](const auto& kernels, auto number) {
    using Number = decltype(number);
    kernels.rms_norm_backward(static_cast<const Number*>(saved[0].const_data_ptr()),
                              static_cast<const Number*>(saved[1].const_data_ptr()),
                              saved[2].const_data_ptr<float>(),
                              static_cast<const Number*>(grad_TD.const_data_ptr()), grad_TD.size(0),
                              grad_TD.size(1), static_cast<Number*>(x_grad_TD.mutable_data_ptr()),
                              weight_grad_BD.mutable_data_ptr<float>());
  });
}

struct RmsNorm : torch::autograd::Function<RmsNorm> {
  static constexpr int64_t kBlocks = 16;  // on the CPU

  static at::Tensor forward(AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& weight_D, double epsilon) {
    const at::Tensor x_TD = x.contiguous();
    at::Tensor out_TD = at::empty_like(x_TD);
    at::Tensor scale_T = at::empty({x_TD.size(0)}, x_TD.options().dtype(at::kFloat));
    const ArrayKernelSet& kernels = *array_kernels().front();
    if (!x_TD.is_cpu()) {
      forward_on_device(x_TD, weight_D, epsilon, out_TD, scale_T);
    } else if (x_TD.scalar_type() == at::kFloat) {
      forward_rows(kernels.fp32, x_TD, weight_D, epsilon, out_TD, scale_T);
    } else {
      forward_rows(kernels.bf16, x_TD, weight_D, epsilon, out_TD, scale_T);
    }
    context->save_for_backward({x_TD, weight_D, scale_T});
    return out_TD;
  }

  static variable_list backward(AutogradContext* context, const variable_list& outputs) {
    const auto saved = context->get_saved_variables();
    const at::Tensor grad_TD = outputs[0].contiguous();
    at::Tensor x_grad_TD = at::empty_like(saved[0]);
    const int64_t blocks = grad_TD.is_cpu() ? kBlocks : rms_norm_blocks(grad_TD.size(0));
    at::Tensor weight_grad_BD = at::zeros({blocks, saved[0].size(1)}, saved[2].options());
    const ArrayKernelSet& kernels = *array_kernels().front();
    if (!grad_TD.is_cpu()) {
      backward_on_device(saved, grad_TD, x_grad_TD, weight_grad_BD);
    } else if (grad_TD.scalar_type() == at::kFloat) {
      backward_rows(kernels.fp32, saved, grad_TD, x_grad_TD, weight_grad_BD);
    } else {
      backward_rows(kernels.bf16, saved, grad_TD, x_grad_TD, weight_grad_BD);
    }
    return {x_grad_TD, weight_grad_BD.sum(0).to(saved[1].scalar_type()), Variable()};
  }
};

}  // namespace

at::Tensor rms_norm(const at::Tensor& x_TD, const at::Tensor& weight_D, double epsilon) {
  SL_ASSERT(x_TD.dim() == 2 && weight_D.size(0) == x_TD.size(1), "rms_norm of {} dimensions",
            x_TD.dim());
  const at::ScalarType own = x_TD.scalar_type();
  const bool has_kernels = (own == at::kFloat || own == at::kBFloat16) &&
                           (x_TD.is_cpu() || device_kernels(x_TD.device()) != nullptr);
  return has_kernels ? RmsNorm::apply(x_TD, weight_D.contiguous(), epsilon)
                     : plain_rms_norm(x_TD, weight_D, epsilon);
}

at::Tensor plain_rms_norm(const at::Tensor& x_TD, const at::Tensor& weight_D, double epsilon) {
  const at::ScalarType precise = sum_type(x_TD.scalar_type());
  const at::Tensor x = x_TD.to(precise);
  const at::Tensor scale = at::rsqrt((x * x).mean(at::IntArrayRef{1}, true) + epsilon);
  return (x * scale * weight_D.to(precise)).to(x_TD.scalar_type());
}

}  // namespace sightline
