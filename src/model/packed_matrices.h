#pragma once
// A decoder's weights once more, in the layout that oneDNN's products want: without it each product
// of a few rows spends as long on the weights' layout as on their numbers. What takes the same rows
// is one matrix (queries, keys and values; gate and up). For generation: bf16 on CPUs, without
// gradients, and as much memory again as the language model's matrices take. The results are those
// of the plain matrices, but for rounding.

#include "model/matrices.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace sightline {

class PackedMatrices final : public Matrices {
 public:
  // Where this machine and these weights gain by it (AMX; without it few rows go by
  // tensor/linear.h), else null. `plain` must outlive it; its weights are copied.
  static std::unique_ptr<PackedMatrices> where_it_pays(const LanguageConfig& config,
                                                       const PlainMatrices& plain);

  AttentionInputs attention_inputs(int64_t layer, const at::Tensor& x_TD) const override;
  at::Tensor attention_output(int64_t layer, const at::Tensor& attended_TQ) const override;
  Inner inner(int64_t layer, const at::Tensor& x_TD) const override;
  at::Tensor down(int64_t layer, const at::Tensor& inner_TM) const override;
  at::Tensor logits(const at::Tensor& x_TD) const override;

 private:
  struct Packed {
    at::Tensor weight;  // in a layout of oneDNN's own
    at::Tensor bias;    // may be undefined
    int64_t inputs = 0;
  };
  struct Layer {
    Packed attention_inputs, attention_output, inner, down;
  };

  PackedMatrices(const LanguageConfig& config, const PlainMatrices& plain);
  static Packed pack(const at::Tensor& weight, const at::Tensor& bias);
  static at::Tensor product(const Packed& matrix, const at::Tensor& x);
  bool takes(const at::Tensor& x) const;

  const LanguageConfig config_;
  const PlainMatrices& plain_;
  std::vector<Layer> layers_;
  Packed head_;
};

}  // namespace sightline
