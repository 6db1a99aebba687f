#pragma once
// Activation checkpointing (Chen et al. 2016, arXiv 1604.06174): of a piece of a model only what
// goes in is kept, and the piece is computed anew when the backward pass comes to it. Memory for
// about a third more products.

#include <functional>
#include <span>

#include <ATen/core/Tensor.h>

namespace sightline {

// Whether a model's layers keep what their backward needs, or compute it anew then.
enum class Activations { kept, recomputed };

using Computation = std::function<at::Tensor(const at::Tensor& x)>;

// piece(x), which is its definition: the same numbers and the same gradients, to the bit. `piece`
// is called again in the backward pass, maybe on another thread, and must give the same then: what
// it captures must live that long. `parameters` are all tensors but x that gradients flow to
// through it; those that need none may be among them. Differentiable once.
at::Tensor recomputed(const Computation& piece, const at::Tensor& x,
                      std::span<const at::Tensor> parameters);

}  // namespace sightline
