#include "model/rms_norm.h"

#include "base/error.h"

#include <cmath>

#include <ATen/Dispatch.h>
#include <ATen/OpMathType.h>
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

// Sums are taken in lanes side by side, so that the compiler may use its widest registers.
constexpr int64_t kLanes = 16;

template <class Sum, class Value>
Sum sum_of(int64_t count, const Value& value) {
  Sum lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) lanes[lane] += value(i + lane);
  }
  Sum total = 0;
  for (; i < count; ++i) total += value(i);
  for (const Sum lane : lanes) total += lane;
  return total;
}

template <class T, class Sum>
void forward_rows(const at::Tensor& x_TD, const at::Tensor& weight_D, double epsilon,
                  at::Tensor& out_TD, at::Tensor& scale_T) {
  const int64_t size = x_TD.size(1);
  const T* x = x_TD.const_data_ptr<T>();
  const T* weight = weight_D.const_data_ptr<T>();
  T* out = out_TD.data_ptr<T>();
  Sum* scale = scale_T.data_ptr<Sum>();
  at::parallel_for(0, x_TD.size(0), 64, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const T* xr = x + row * size;
      const Sum squares = sum_of<Sum>(
          size, [&](int64_t i) { return static_cast<Sum>(xr[i]) * static_cast<Sum>(xr[i]); });
      const Sum r =
          Sum(1) / std::sqrt(squares / static_cast<Sum>(size) + static_cast<Sum>(epsilon));
      scale[row] = r;
      for (int64_t i = 0; i < size; ++i) {
        out[row * size + i] =
            static_cast<T>(static_cast<Sum>(xr[i]) * r * static_cast<Sum>(weight[i]));
      }
    }
  });
}

// dx = r (g - x r^2 mean(g x)) with g = dy * weight; dweight = sum over rows of dy x r, by fixed
// blocks of rows and then in their order, so that it does not depend on the threads.
template <class T, class Sum>
void backward_rows(const at::Tensor& x_TD, const at::Tensor& weight_D, const at::Tensor& scale_T,
                   const at::Tensor& grad_TD, at::Tensor& x_grad_TD, at::Tensor& weight_grad_BD) {
  const int64_t rows = x_TD.size(0), size = x_TD.size(1), blocks = weight_grad_BD.size(0);
  const T* x = x_TD.const_data_ptr<T>();
  const T* weight = weight_D.const_data_ptr<T>();
  const T* grad = grad_TD.const_data_ptr<T>();
  const Sum* scale = scale_T.const_data_ptr<Sum>();
  T* x_grad = x_grad_TD.data_ptr<T>();
  Sum* weight_grad = weight_grad_BD.data_ptr<Sum>();
  const int64_t block_rows = (rows + blocks - 1) / blocks;
  at::parallel_for(0, blocks, 1, [&](int64_t first, int64_t last) {
    for (int64_t row = first * block_rows; row < std::min(rows, last * block_rows); ++row) {
      const T* xr = x + row * size;
      const T* gr = grad + row * size;
      Sum* wr = weight_grad + row / block_rows * size;
      const Sum r = scale[row];
      const Sum product = sum_of<Sum>(size, [&](int64_t i) {
        return static_cast<Sum>(gr[i]) * static_cast<Sum>(weight[i]) * static_cast<Sum>(xr[i]);
      });
      const Sum pull = r * r * product / static_cast<Sum>(size);
      for (int64_t i = 0; i < size; ++i) {
        const Sum xi = static_cast<Sum>(xr[i]), gi = static_cast<Sum>(gr[i]);
        x_grad[row * size + i] = static_cast<T>(r * (gi * static_cast<Sum>(weight[i]) - xi * pull));
        wr[i] += gi * xi * r;
      }
    }
  });
}

struct RmsNorm : torch::autograd::Function<RmsNorm> {
  static constexpr int64_t kBlocks = 16;

  static at::ScalarType sum_type(const at::Tensor& x) {
    return x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  }

  static at::Tensor forward(AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& weight_D, double epsilon) {
    const at::Tensor x_TD = x.contiguous();
    at::Tensor out_TD = at::empty_like(x_TD);
    at::Tensor scale_T = at::empty({x_TD.size(0)}, x_TD.options().dtype(sum_type(x_TD)));
    AT_DISPATCH_FLOATING_TYPES_AND(at::kBFloat16, x_TD.scalar_type(), "rms_norm", [&] {
      forward_rows<scalar_t, at::opmath_type<scalar_t>>(x_TD, weight_D, epsilon, out_TD, scale_T);
    });
    context->save_for_backward({x_TD, weight_D, scale_T});
    return out_TD;
  }

  static variable_list backward(AutogradContext* context, const variable_list& outputs) {
    const auto saved = context->get_saved_variables();
    const at::Tensor grad_TD = outputs[0].contiguous();
    at::Tensor x_grad_TD = at::empty_like(saved[0]);
    at::Tensor weight_grad_BD = at::zeros({kBlocks, saved[0].size(1)}, saved[2].options());
    AT_DISPATCH_FLOATING_TYPES_AND(at::kBFloat16, grad_TD.scalar_type(), "rms_norm", [&] {
      backward_rows<scalar_t, at::opmath_type<scalar_t>>(saved[0], saved[1], saved[2], grad_TD,
                                                         x_grad_TD, weight_grad_BD);
    });
    return {x_grad_TD, weight_grad_BD.sum(0).to(saved[1].scalar_type()), Variable()};
  }
};

}  // namespace

at::Tensor rms_norm(const at::Tensor& x_TD, const at::Tensor& weight_D, double epsilon) {
  SL_ASSERT(x_TD.dim() == 2 && weight_D.size(0) == x_TD.size(1), "rms_norm of {} dimensions",
            x_TD.dim());
  return RmsNorm::apply(x_TD, weight_D, epsilon);
}

at::Tensor plain_rms_norm(const at::Tensor& x_TD, const at::Tensor& weight_D, double epsilon) {
  const at::ScalarType precise = RmsNorm::sum_type(x_TD);
  const at::Tensor x = x_TD.to(precise);
  const at::Tensor scale = at::rsqrt((x * x).mean(at::IntArrayRef{1}, true) + epsilon);
  return (x * scale * weight_D.to(precise)).to(x_TD.scalar_type());
}

}  // namespace sightline
