#pragma once
// Products by int8 weights whose rows are rounded to int8 too (tensor/rounded_linear.h): of a
// decoder's layers and head, and of a vision model's layers. For prompts and for the tokens of many
// sequences; what is few rows is not rounded. No gradients.
//
// Legend: T rows, D hidden size, V vocabulary, I images, N tokens an image.

#include "generate/step_weights.h"
#include "model/matrices.h"
#include "model/vision_matrices.h"
#include "tensor/rounded_linear.h"

#include <cstdint>
#include <vector>

namespace sightline {

class RoundedMatrices final : public Matrices {
 public:
  // `weights` are of int8; they and `plain` must outlive this.
  RoundedMatrices(const StepWeights& weights, const PlainMatrices& plain);

  AttentionInputs attention_inputs(int64_t layer, const at::Tensor& x_TD) const override;
  at::Tensor attention_output(int64_t layer, const at::Tensor& attended_TQ) const override;
  Inner inner(int64_t layer, const at::Tensor& x_TD) const override;
  at::Tensor down(int64_t layer, const at::Tensor& inner_TM) const override;
  // Of few rows, as at the end of prompts, by the plain head.
  at::Tensor logits(const at::Tensor& x_TD) const override;

 private:
  const StepWeights& weights_;
  const PlainMatrices& plain_;
};

class RoundedVisionMatrices final : public VisionMatrices {
 public:
  // Rounds the layers' matrices; their biases are those of `plain`, which must outlive this.
  explicit RoundedVisionMatrices(const PlainVisionMatrices& plain);

  AttentionInputs attention_inputs(int64_t layer, const at::Tensor& x_IND) const override;
  at::Tensor attention_output(int64_t layer, const at::Tensor& attended_IND) const override;
  at::Tensor up(int64_t layer, const at::Tensor& x_IND) const override;
  at::Tensor down(int64_t layer, const at::Tensor& inner_INM) const override;

 private:
  // A layer's matrices, in order.
  enum Place : size_t { of_query, of_key, of_value, of_output, of_up, of_down, kOfLayer };

  // Of `count` of them from `first` on.
  std::vector<at::Tensor> products(int64_t layer, Place first, size_t count,
                                   const at::Tensor& x) const;

  std::vector<GroupedWeights> weights_;  // kOfLayer a layer
  std::vector<RoundedLinear> matrices_;  // of them
};

}  // namespace sightline
