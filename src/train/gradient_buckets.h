#pragma once
// The sums of gradients as a few long tensors, of which each weight's is a piece. They are laid
// out from the top of the model down, as backward comes to them, so that a bucket is whole early
// and can travel to other ranks while backward goes on below; and they travel without being copied.

#include "dist/buckets.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

namespace sightline {

inline constexpr int64_t kGradientBuckets = 8;  // about, and more for a large model

struct GradientBuckets {
  std::vector<at::Tensor> buckets;  // fp32 (fp64 for fp64 weights), one dtype each, zeros at first
  std::vector<size_t> bucket_of;    // of each weight
  std::vector<at::Tensor> gradients;  // of each weight: its piece
};

// How the sum of a weight's gradients is made: in fp32 (fp64 for fp64), on its device.
at::TensorOptions sum_options(const at::Tensor& weight);

// Makes the buckets, zeros: by itself or, with other ranks, as World::zeros_to_sum() does.
using MakeBuckets =
    std::function<std::vector<at::Tensor>(std::span<const SumShape> shapes, at::Device device)>;

// For weights in the order from the bottom of the model up. The layout is a function of their
// shapes and dtypes alone.
GradientBuckets lay_out_gradients(std::span<const at::Tensor> weights,
                                  const MakeBuckets& make = zeros_of);

}  // namespace sightline
