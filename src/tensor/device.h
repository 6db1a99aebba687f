#pragma once
// Where a model's numbers live and are computed with: the CPU, or a GPU by LibTorch's CUDA
// libraries. Those are loaded when a GPU is first asked for: the same program runs without them.
//
// A model's tensors share one device. What comes from files, and what the program itself decides
// (tokens, positions, masks, indices), is made on the CPU and taken over here.

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

namespace sightline {

// "cpu"; "cuda:N"; "cuda": of this machine's GPUs the one of this rank's number on it; "auto": that
// one where there is any, else the CPU. An Error says why a GPU that was asked for cannot be used.
// What it computes from then on is repeatable to the bit, where LibTorch has a way.
at::Device compute_device(std::string_view name, int64_t local_rank = 0);

// How many GPUs LibTorch can use; loads its CUDA libraries where the machine has an NVIDIA GPU.
int64_t usable_gpus();

// The same numbers on `device`; `host` itself where that is its device. Copies to a GPU leave from
// pinned memory, so that nobody waits for them but who reads them there.
at::Tensor on_device(const at::Tensor& host, at::Device device);

// The values of tensors of one number each, in one copy: who asks a GPU for one number waits for
// all that it was given to do.
std::vector<double> numbers_of(at::TensorList singles);

// Indices (int64) on `device`.
at::Tensor indices(std::span<const int64_t> values, at::Device device);
at::Tensor indices(std::span<const int32_t> values, at::Device device);

}  // namespace sightline
