#pragma once
// Tensors that cost less to make again than to keep: what a norm or an activation gives is one pass
// over memory, and is kept for backward by the products that take it alone. Its memory is given
// back when they have been computed, and filled again when backward comes to them.

#include <functional>
#include <vector>

#include <ATen/core/Tensor.h>

namespace sightline {

// Gives x's memory back until a gradient comes to one of `users`: the products of x with `matrix`
// and with others that train when it does, which are all that keeps x for backward. `make` makes
// its numbers again, to the bit, from tensors that are kept anyhow; it may be called on another
// thread. Until then nothing may look at x. Nothing is done where no gradients are recorded, or
// where the matrix does not train: then nothing keeps x. x's memory must be its own, not another
// tensor's.
void forget_until_backward(const at::Tensor& x, const std::vector<at::Tensor>& users,
                           const at::Tensor& matrix, std::function<at::Tensor()> make);

}  // namespace sightline
