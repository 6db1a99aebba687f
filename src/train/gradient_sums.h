#pragma once
// A step's gradients, summed over its micro-batches. While they come in a weight has no .grad: what
// a backward pass leaves there goes to the weight's sum at once, in one pass over memory (the first
// of a step is written, not added to zeros), and is given back. When all are in, each weight's
// .grad is its sum.

#include "train/gradient_buckets.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include <ATen/core/Tensor.h>

namespace sightline {

class GradientSums {
 public:
  // Zeros. The weights hold hooks of this as long as it lives.
  explicit GradientSums(std::vector<at::Tensor> weights);
  ~GradientSums();
  GradientSums(const GradientSums&) = delete;
  GradientSums& operator=(const GradientSums&) = delete;

  // A step: nothing has come yet.
  void begin();
  // A micro-batch's gradient of a weight, in its numbers or those of the sum. Backward passes add
  // theirs by themselves.
  void add(size_t weight, const at::Tensor& gradient);
  // No more comes. What none has come for is zero.
  void end();

  // Called, where set, when a backward pass has added to a weight's sum.
  std::function<void(size_t weight)> arrived;

  const GradientBuckets& buckets() const { return laid_; }

 private:
  class Hook;

  std::vector<at::Tensor> weights_;
  GradientBuckets laid_;
  std::vector<at::Tensor> sums_;  // of each weight: pieces of the buckets
  std::vector<uint8_t> is_begun_;
};

}  // namespace sightline
