#include "tensor/forget.h"

#include "base/error.h"

#include <memory>
#include <utility>

#include <c10/core/GradMode.h>

namespace sightline {

namespace {

// One tensor's, until it has its memory again: hooks outlive that.
struct Forgotten {
  at::Tensor x;
  std::function<at::Tensor()> make;

  void fill() {
    if (!x.defined()) return;
    const c10::NoGradGuard no_grad;
    const at::Tensor again = std::exchange(make, nullptr)();
    SL_ASSERT(
        again.sizes() == x.sizes() && again.strides() == x.strides() && again.storage_offset() == 0,
        "what was made again is laid out otherwise");
    x.storage().set_data_ptr(again.storage().set_data_ptr(at::DataPtr(nullptr, x.device())));
    x = at::Tensor();
  }
};

}  // namespace

void forget_until_backward(const at::Tensor& x, const std::vector<at::Tensor>& users,
                           const at::Tensor& matrix, std::function<at::Tensor()> make) {
  if (!c10::GradMode::is_enabled() || !matrix.requires_grad()) return;
  // Views of it share its memory, and are filled with it.
  const auto forgotten = std::make_shared<Forgotten>(Forgotten{x.detach(), std::move(make)});
  for (const at::Tensor& user : users) {
    user.register_hook([forgotten](const at::Tensor&) { forgotten->fill(); });
  }
  x.storage().set_data_ptr(at::DataPtr(nullptr, x.device()));
}

}  // namespace sightline
