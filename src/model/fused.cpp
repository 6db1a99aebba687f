#include "model/fused.h"

#include "kernels/array_kernels.h"
#include "model/device_kernels.h"

#include <type_traits>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/silu.h>
#include <torch/csrc/autograd/custom_function.h>

namespace sightline {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kGrain = 16384;  // numbers worth a thread

bool has_numbers_of_kernels(const at::Tensor& x) {
  return x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16;
}

bool has_kernels(const at::Tensor& x) {
  return has_numbers_of_kernels(x) && (x.is_cpu() || device_kernels(x.device()) != nullptr);
}

template <class Number>
const Number* from(const at::Tensor& x) {
  return static_cast<const Number*>(x.const_data_ptr());
}
template <class Number>
Number* into(const at::Tensor& x) {
  return static_cast<Number*>(x.mutable_data_ptr());
}

// Calls f(kernels, a number of their type) for x's numbers, on the CPU.
template <class F>
void with_kernels(const at::Tensor& x, const F& f) {
  const ArrayKernelSet& set = *array_kernels().front();
  if (x.scalar_type() == at::kFloat) {
    f(set.fp32, float{});
  } else {
    f(set.bf16, uint16_t{});
  }
}

struct Swiglu : torch::autograd::Function<Swiglu> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& gate,
                            const at::Tensor& up) {
    const at::Tensor g = gate.contiguous(), u = up.contiguous();
    context->save_for_backward({g, u});
    const at::Tensor out = at::empty_like(g);
    if (!g.is_cpu()) {
      with_device_kernels(g, [&](const auto& kernels, auto number) {
        using Number = decltype(number);
        kernels.swiglu(from<Number>(g), from<Number>(u), g.numel(), into<Number>(out));
      });
      return out;
    }
    with_kernels(g, [&](const auto& kernels, auto number) {
      using Number = decltype(number);
      at::parallel_for(0, g.numel(), kGrain, [&](int64_t begin, int64_t end) {
        kernels.swiglu(from<Number>(g) + begin, from<Number>(u) + begin, end - begin,
                       into<Number>(out) + begin);
      });
    });
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &g = saved[0], &u = saved[1], d_out = gradients[0].contiguous();
    const at::Tensor d_gate = at::empty_like(g), d_up = at::empty_like(g);
    if (!g.is_cpu()) {
      with_device_kernels(g, [&](const auto& kernels, auto number) {
        using Number = decltype(number);
        kernels.swiglu_backward(from<Number>(g), from<Number>(u), from<Number>(d_out), g.numel(),
                                into<Number>(d_gate), into<Number>(d_up));
      });
      return {d_gate, d_up};
    }
    with_kernels(g, [&](const auto& kernels, auto number) {
      using Number = decltype(number);
      at::parallel_for(0, g.numel(), kGrain, [&](int64_t begin, int64_t end) {
        kernels.swiglu_backward(from<Number>(g) + begin, from<Number>(u) + begin,
                                from<Number>(d_out) + begin, end - begin,
                                into<Number>(d_gate) + begin, into<Number>(d_up) + begin);
      });
    });
    return {d_gate, d_up};
  }
};

struct Gelu : torch::autograd::Function<Gelu> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& any) {
    const at::Tensor x = any.contiguous();
    const at::Tensor out = at::empty_like(x);
    with_kernels(x, [&](const auto& kernels, auto number) {
      using Number = decltype(number);
      at::parallel_for(0, x.numel(), kGrain, [&](int64_t begin, int64_t end) {
        kernels.gelu(from<Number>(x) + begin, end - begin, into<Number>(out) + begin);
      });
    });
    context->save_for_backward({x});
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const at::Tensor x = context->get_saved_variables()[0], d_out = gradients[0].contiguous();
    const at::Tensor d_x = at::empty_like(x);
    with_kernels(x, [&](const auto& kernels, auto number) {
      using Number = decltype(number);
      at::parallel_for(0, x.numel(), kGrain, [&](int64_t begin, int64_t end) {
        kernels.gelu_backward(from<Number>(x) + begin, from<Number>(d_out) + begin, end - begin,
                              into<Number>(d_x) + begin);
      });
    });
    return {d_x};
  }
};

// A row's heads lie one behind the other.
at::Tensor turned(const at::Tensor& any, const at::Tensor& cos_Th, const at::Tensor& sin_Th) {
  const int64_t heads = any.size(1), d = any.size(2);
  const bool whole_rows = any.stride(2) == 1 && any.stride(1) == d;
  const at::Tensor x = whole_rows ? any : any.contiguous();
  const at::Tensor out = at::empty(x.sizes(), x.options());
  const float *cos = cos_Th.const_data_ptr<float>(), *sin = sin_Th.const_data_ptr<float>();
  if (!x.is_cpu()) {
    with_device_kernels(x, [&](const auto& kernels, auto number) {
      using Number = decltype(number);
      kernels.rotate(from<Number>(x), x.stride(0), cos, sin, x.size(0), heads, d,
                     into<Number>(out));
    });
    return out;
  }
  with_kernels(x, [&](const auto& kernels, auto number) {
    using Number = decltype(number);
    at::parallel_for(0, x.size(0), kGrain / (heads * d) + 1, [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; ++t) {
        kernels.rotate(from<Number>(x) + t * x.stride(0), cos + t * (d / 2), sin + t * (d / 2),
                       heads, d, into<Number>(out) + t * heads * d);
      }
    });
  });
  return out;
}

struct Rotation : torch::autograd::Function<Rotation> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x_THd,
                            const at::Tensor& cos_Th, const at::Tensor& sin_Th) {
    context->save_for_backward({cos_Th, sin_Th});
    return turned(x_THd, cos_Th, sin_Th);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    return {turned(gradients[0], saved[0], -saved[1]), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor swiglu(const at::Tensor& gate_TM, const at::Tensor& up_TM) {
  return has_kernels(gate_TM) ? Swiglu::apply(gate_TM, up_TM) : plain_swiglu(gate_TM, up_TM);
}

at::Tensor plain_swiglu(const at::Tensor& gate_TM, const at::Tensor& up_TM) {
  return at::silu(gate_TM) * up_TM;
}

at::Tensor gelu_by_tanh(const at::Tensor& x) {
  const bool by_kernels = x.is_cpu() && has_numbers_of_kernels(x);
  return by_kernels ? Gelu::apply(x) : at::gelu(x, "tanh");
}

at::Tensor rotated(const at::Tensor& x_THd, const at::Tensor& cos_Th, const at::Tensor& sin_Th) {
  return has_kernels(x_THd) ? Rotation::apply(x_THd, cos_Th, sin_Th)
                            : plain_rotated(x_THd, cos_Th, sin_Th);
}

at::Tensor plain_rotated(const at::Tensor& x_THd, const at::Tensor& cos_Th,
                         const at::Tensor& sin_Th) {
  const at::Tensor x = x_THd.to(cos_Th.scalar_type());
  const at::Tensor cos = cos_Th.unsqueeze(1), sin = sin_Th.unsqueeze(1);
  const auto halves = x.chunk(2, 2);
  return at::cat({halves[0] * cos - halves[1] * sin, halves[1] * cos + halves[0] * sin}, 2)
      .to(x_THd.scalar_type());
}

}  // namespace sightline
