#pragma once
// The sums of gradients as a few long tensors: each weight's .grad is a piece of one. They are laid
// out from the top of the model down, as backward comes to them, so that a bucket is whole early
// and can travel to other ranks while backward goes on below; and they travel without being copied.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

namespace sightline {

inline constexpr int64_t kGradientBuckets = 8;  // about, and more for a large model

struct GradientBuckets {
  std::vector<at::Tensor> buckets;  // fp32 (fp64 for fp64 weights), one dtype each, zeros at first
  std::vector<size_t> bucket_of;    // of each weight
};

// For weights in the order from the bottom of the model up. The layout is a function of their
// shapes and dtypes alone.
GradientBuckets lay_out_gradients(std::span<const at::Tensor> weights);

}  // namespace sightline
