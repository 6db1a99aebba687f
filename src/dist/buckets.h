#pragma once
// Tensors laid end to end in buckets, so that many small ones travel as few large messages.

#include <cstdint>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

namespace sightline {

// Neighbours in a list of tensors, all on one device.
struct Bucket {
  size_t first = 0, count = 0;
  int64_t numbers = 0;
  at::ScalarType dtype = at::kFloat;  // in which they travel
};

// Of a tensor that only ever is summed: flat.
struct SumShape {
  int64_t numbers = 0;
  at::ScalarType dtype = at::kFloat;  // or double
};

std::vector<at::Tensor> zeros_of(std::span<const SumShape> shapes, at::Device device);

// In what numbers tensors travel.
enum class Travel {
  full,         // fp64 as fp64, all else as fp32
  bf16,         // half the traffic of fp32; each addition is rounded to it
  as_they_are,  // not to be summed
};

// By the tensors' sizes, dtypes and devices alone, so that all ranks make the same. A tensor of
// more than `most` numbers has a bucket of its own.
std::vector<Bucket> make_buckets(std::span<const at::Tensor> tensors, int64_t most,
                                 Travel travel = Travel::full);

// The bucket's tensors as one.
at::Tensor packed(std::span<const at::Tensor> tensors, const Bucket& bucket);
// Copies `flat` back to where it came from.
void unpack(const at::Tensor& flat, std::span<const at::Tensor> tensors, const Bucket& bucket);

}  // namespace sightline
