#pragma once
// A step's gradients, summed over its micro-batches. While they come in a weight has no .grad: what
// a backward pass leaves there is taken away at once. The first of a step is kept as it came, in
// the weight's numbers, and no sum is made where no second one comes: a step of one forward pass
// has no sums in memory. A second one makes the weight's sum, in fp32 (fp64 for fp64), which stays:
// the gradients of later steps go straight to it, the first written, not added to zeros. When all
// are in, each weight's .grad is its sum or the one gradient.

#include "train/gradient_buckets.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include <ATen/core/Tensor.h>

namespace sightline {

class GradientSums {
 public:
  // The weights hold hooks of this as long as it lives.
  explicit GradientSums(std::vector<at::Tensor> weights);
  ~GradientSums();
  GradientSums(const GradientSums&) = delete;
  GradientSums& operator=(const GradientSums&) = delete;

  // A step: nothing has come yet.
  void begin();
  // A micro-batch's gradient of a weight, in its numbers or those of the sum; not to be written to
  // from then on. Backward passes add theirs by themselves.
  void add(size_t weight, const at::Tensor& gradient);
  // No more comes. What none has come for is zero.
  void end();

  // Called, where set, when a backward pass has added to a weight's sum.
  std::function<void(size_t weight)> arrived;

  // Makes all sums, for good, as pieces of long tensors that can travel to other ranks. Between
  // steps.
  const GradientBuckets& lay_out(const MakeBuckets& make = zeros_of);

 private:
  class Hook;

  std::vector<at::Tensor> weights_;
  GradientBuckets laid_;           // where they are laid out
  std::vector<at::Tensor> sums_;   // of each weight, where it has one
  std::vector<at::Tensor> only_;   // of each weight without a sum: what has come
  std::vector<uint8_t> is_begun_;  // whether something has come
};

}  // namespace sightline
