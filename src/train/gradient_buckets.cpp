#include "train/gradient_buckets.h"

#include "tensor/sum_type.h"

#include <algorithm>

namespace sightline {

namespace {

constexpr int64_t kAligned = 16;  // numbers: where each gradient begins
// Numbers of a bucket: not so few that it costs more to send off than to send, nor so many that the
// last one, which nothing hides, takes long.
constexpr int64_t kLeast = 1 << 16, kMost = 6 << 20;

int64_t room_of(const at::Tensor& weight) {
  return (weight.numel() + kAligned - 1) / kAligned * kAligned;
}

}  // namespace

at::TensorOptions sum_options(const at::Tensor& weight) {
  return weight.options().dtype(sum_type(weight.scalar_type())).requires_grad(false);
}

GradientBuckets lay_out_gradients(std::span<const at::Tensor> weights, const MakeBuckets& make) {
  int64_t total = 0;
  for (const at::Tensor& weight : weights) total += room_of(weight);
  const int64_t most = std::clamp(total / kGradientBuckets, kLeast, kMost);
  GradientBuckets laid{.bucket_of = std::vector<size_t>(weights.size())};
  std::vector<int64_t> begins(weights.size());
  std::vector<SumShape> buckets;
  for (size_t i = weights.size(); i-- > 0;) {
    const at::ScalarType dtype = sum_type(weights[i].scalar_type());
    if (buckets.empty() || buckets.back().dtype != dtype ||
        (buckets.back().numbers > 0 && buckets.back().numbers + room_of(weights[i]) > most)) {
      buckets.push_back({.dtype = dtype});
    }
    laid.bucket_of[i] = buckets.size() - 1;
    begins[i] = buckets.back().numbers;
    buckets.back().numbers += room_of(weights[i]);
  }
  laid.buckets = make(buckets, weights.front().device());
  for (size_t i = 0; i < weights.size(); ++i) {
    laid.gradients.push_back(laid.buckets[laid.bucket_of[i]]
                                 .slice(0, begins[i], begins[i] + weights[i].numel())
                                 .view(weights[i].sizes()));
  }
  return laid;
}

}  // namespace sightline
