#pragma once
// Tensors that the ranks of one machine have in memory that all of them see, so that they are
// summed where they lie: each rank adds up an equal share of every tensor's numbers, in the order
// of ranks, and writes the sums to all. Through Gloo the same numbers pass a socket twice, on the
// cores that compute.

#include "dist/buckets.h"
#include "dist/shared_memory.h"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

namespace sightline {

// The bytes that such tensors take, one behind the other.
size_t shared_bytes(std::span<const SumShape> shapes);

class SharedSums : public std::enable_shared_from_this<SharedSums> {
 public:
  // `by_rank`: of shared_bytes() of the same shapes; this rank's own at `rank`.
  SharedSums(std::vector<std::unique_ptr<SharedMemory>> by_rank, int64_t rank);

  // This rank's, zeros at first. They keep this alive.
  std::vector<at::Tensor> tensors(std::span<const SumShape> shapes);
  // Whether a tensor is one of these.
  bool has(const at::Tensor& tensor) const;

  // This rank's share of the work for one of its tensors. All ranks must have theirs ready before,
  // and none may touch its own before all have done this.
  void add_up(const at::Tensor& tensor) const;

 private:
  std::vector<std::unique_ptr<SharedMemory>> by_rank_;
  size_t rank_;
};

}  // namespace sightline
