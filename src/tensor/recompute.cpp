#include "tensor/recompute.h"

#include <algorithm>
#include <vector>

#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

namespace sightline {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// The piece, held by an autograd graph.
struct Holder : torch::CustomClassHolder {
  explicit Holder(Computation held) : piece(std::move(held)) {}
  Computation piece;
};

struct Recomputed : torch::autograd::Function<Recomputed> {
  // Inputs: x, then the parameters. Called without gradients being recorded.
  static at::Tensor forward(AutogradContext* context, const Computation& piece,
                            at::TensorList inputs) {
    context->saved_data["piece"] = c10::IValue::make_capsule(c10::make_intrusive<Holder>(piece));
    context->save_for_backward(inputs.vec());
    return piece(inputs[0]);
  }

  static variable_list backward(AutogradContext* context, variable_list output_gradients) {
    const variable_list inputs = context->get_saved_variables();
    const auto holder = context->saved_data["piece"].toCapsule();
    // The first entry stands for `piece`, which has no gradient.
    variable_list gradients(inputs.size() + 1);
    variable_list wanted;
    std::vector<size_t> places;
    const at::Tensor x = inputs[0].detach().set_requires_grad(inputs[0].requires_grad());
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (!inputs[i].requires_grad()) continue;
      wanted.push_back(i == 0 ? x : inputs[i]);
      places.push_back(i + 1);
    }
    at::Tensor y;
    {
      const c10::AutoGradMode recording(true);
      y = static_cast<const Holder*>(holder.get())->piece(x);
    }
    const variable_list found =
        torch::autograd::grad({y}, wanted, output_gradients, /*retain_graph=*/false,
                              /*create_graph=*/false, /*allow_unused=*/true);
    for (size_t i = 0; i < found.size(); ++i) gradients[places[i]] = found[i];
    return gradients;
  }
};

}  // namespace

at::Tensor recomputed(const Computation& piece, const at::Tensor& x,
                      std::span<const at::Tensor> parameters) {
  const auto needs = [](const at::Tensor& tensor) { return tensor.requires_grad(); };
  const bool any = needs(x) || std::ranges::any_of(parameters, needs);
  if (!c10::GradMode::is_enabled() || !any) return piece(x);  // nothing would be kept
  std::vector<at::Tensor> inputs = {x};
  inputs.insert(inputs.end(), parameters.begin(), parameters.end());
  return Recomputed::apply(piece, at::TensorList(inputs));
}

}  // namespace sightline
