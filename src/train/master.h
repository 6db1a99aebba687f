#pragma once
// The fp32 numbers that an optimizer moves, of weights that the model holds in fewer bits. A bf16
// weight is its master rounded to the nearest (the larger in size of two as near), and what the
// rounding left is kept beside it in 16 bits of its own, so that the two together are the master,
// to the bit: it takes two bytes beside its weight where a copy takes four.
//
// The kernels of AdamW join and part them number by number (kernels/scalar_functions.h); here they
// do so by LibTorch's operations, on any device.

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace sightline {

struct Master {
  at::Tensor weight;  // the model's leaf
  at::Tensor rest;    // int16; undefined where the weight is its own master (fp32, fp64)

  // Of a weight as it stands: the rest is zeros.
  static Master of(const at::Tensor& weight);

  bool is_weight() const { return !rest.defined(); }
  at::ScalarType dtype() const { return is_weight() ? weight.scalar_type() : at::kFloat; }

  // The numbers: the weight's own memory, or a copy.
  at::Tensor numbers() const;
  // Moves them there.
  void put(const at::Tensor& numbers) const;
  // Of `count` numbers from `begin` on, as one row: what is moved there is moved here.
  Master piece(int64_t begin, int64_t count) const;
};

}  // namespace sightline
