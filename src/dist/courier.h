#pragma once
// What moves tensors between ranks: a backend of c10d, waited for in such a way that a lost rank is
// noticed, whichever backend it is. Calls throw what c10d throws where a rank is lost.

#include <chrono>
#include <functional>

#include <ATen/core/Tensor.h>
#include <c10/util/intrusive_ptr.h>

namespace c10d {
class Backend;
class Work;
}  // namespace c10d

namespace sightline {

class Courier {
 public:
  using Work = c10::intrusive_ptr<c10d::Work>;
  // Waits until what was begun is done.
  using Finish = std::function<void()>;

  // Gloo on the CPU: it tells by itself, and at once, where a rank is gone.
  explicit Courier(c10::intrusive_ptr<c10d::Backend> gloo);

  // A device's backend, NCCL: it may wait for ever for a rank that is gone. With each call `watch`
  // begins another among the same ranks over Gloo, whose failure ends the wait; and so does
  // `silence`, counted from the wait's beginning.
  Courier(c10::intrusive_ptr<c10d::Backend> backend, std::function<Work()> watch,
          std::chrono::milliseconds silence);

  // Each returns at once. Until its Finish the tensor, which is contiguous, is not to be touched.
  [[nodiscard]] Finish sum(const at::Tensor& tensor);
  [[nodiscard]] Finish sum_to(int owner, const at::Tensor& tensor);
  [[nodiscard]] Finish share_from(int owner, const at::Tensor& tensor);

  // Joins the ranks on `device`, at most within `patience`.
  void connect(at::Device device, std::chrono::milliseconds patience);
  // Ends what is under way, so that the device does not wait for others; then nothing can be begun.
  void abort() noexcept;

 private:
  Finish waits_for(const Work& work) const;

  c10::intrusive_ptr<c10d::Backend> backend_;
  std::function<Work()> watch_;  // empty: none is needed
  std::chrono::milliseconds silence_{0};
};

}  // namespace sightline
