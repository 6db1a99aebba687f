#pragma once
// Tensors that cost less to make again than to keep: what a norm or an activation gives is one pass
// over memory, and is kept for backward by the products that take it alone. Its memory is given
// back when they have been computed, and filled again when backward comes to them.

#include <functional>
#include <span>

#include <ATen/core/Tensor.h>

namespace sightline {

// Gives x's memory back until a gradient comes to one of `users`, which are all that x was given to
// and that keep it for backward. `make` makes its numbers again, to the bit, from tensors that are
// kept anyhow; it may be called on another thread. Until then nothing may look at x. Nothing is
// done where no gradients are recorded. x's memory must be its own, not another tensor's.
void forget_until_backward(const at::Tensor& x, std::span<const at::Tensor> users,
                           std::function<at::Tensor()> make);

}  // namespace sightline
