#include "generate/rounded_matrices.h"

#include "base/error.h"
#include "generate/step_decoder.h"
#include "model/vision_names.h"

#include <array>
#include <span>

namespace sightline {
namespace {

// Fewer rows cost a reading of the weights, however they are multiplied.
constexpr int64_t kFewRows = StepDecoder::kMostRows;

at::Tensor product(const at::Tensor& x, const WeightMatrix& weights) {
  return rounded_products(x, std::array{RoundedLinear{weights, {}}}).front();
}

}  // namespace

RoundedMatrices::RoundedMatrices(const StepWeights& weights, const PlainMatrices& plain)
    : weights_(weights), plain_(plain) {
  SL_ASSERT(weights.head.format == WeightFormat::int8, "rows are rounded for int8 weights");
}

Matrices::AttentionInputs RoundedMatrices::attention_inputs(int64_t layer,
                                                            const at::Tensor& x_TD) const {
  const StepWeights::Layer& of = weights_.layers[static_cast<size_t>(layer)];
  const auto y = rounded_products(
      x_TD, std::array{RoundedLinear{of.q, plain_.bias(layer, "self_attn.q_proj")},
                       RoundedLinear{of.k, plain_.bias(layer, "self_attn.k_proj")},
                       RoundedLinear{of.v, plain_.bias(layer, "self_attn.v_proj")}});
  return {y[0], y[1], y[2]};
}

at::Tensor RoundedMatrices::attention_output(int64_t layer, const at::Tensor& attended_TQ) const {
  return product(attended_TQ, weights_.layers[static_cast<size_t>(layer)].o);
}

Matrices::Inner RoundedMatrices::inner(int64_t layer, const at::Tensor& x_TD) const {
  const StepWeights::Layer& of = weights_.layers[static_cast<size_t>(layer)];
  const auto y =
      rounded_products(x_TD, std::array{RoundedLinear{of.gate, {}}, RoundedLinear{of.up, {}}});
  return {y[0], y[1]};
}

at::Tensor RoundedMatrices::down(int64_t layer, const at::Tensor& inner_TM) const {
  return product(inner_TM, weights_.layers[static_cast<size_t>(layer)].down);
}

at::Tensor RoundedMatrices::logits(const at::Tensor& x_TD) const {
  return x_TD.size(0) <= kFewRows ? plain_.logits(x_TD) : product(x_TD, weights_.head);
}

RoundedVisionMatrices::RoundedVisionMatrices(const PlainVisionMatrices& plain) {
  const VisionNames& names = vision_names(plain.config());
  std::vector<at::Tensor> matrices, biases;
  for (int64_t i = 0; i < plain.config().num_hidden_layers; ++i) {
    for (const char* name :
         {names.query, names.key, names.value, names.out, names.up, names.down}) {
      matrices.push_back(plain.weight(i, name));
      biases.push_back(plain.bias(i, name));
    }
  }
  weights_ = grouped_weights(WeightFormat::int8, matrices);
  for (size_t i = 0; i < weights_.size(); ++i) {
    matrices_.push_back({weights_[i].matrix(), biases[i]});
  }
}

std::vector<at::Tensor> RoundedVisionMatrices::products(int64_t layer, Place first, size_t count,
                                                        const at::Tensor& x) const {
  return rounded_products(
      x, std::span(matrices_).subspan(static_cast<size_t>(layer) * kOfLayer + first, count));
}

VisionMatrices::AttentionInputs RoundedVisionMatrices::attention_inputs(
    int64_t layer, const at::Tensor& x_IND) const {
  const auto y = products(layer, of_query, 3, x_IND);
  return {y[0], y[1], y[2]};
}

at::Tensor RoundedVisionMatrices::attention_output(int64_t layer,
                                                   const at::Tensor& attended_IND) const {
  return products(layer, of_output, 1, attended_IND).front();
}

at::Tensor RoundedVisionMatrices::up(int64_t layer, const at::Tensor& x_IND) const {
  return products(layer, of_up, 1, x_IND).front();
}

at::Tensor RoundedVisionMatrices::down(int64_t layer, const at::Tensor& inner_INM) const {
  return products(layer, of_down, 1, inner_INM).front();
}

}  // namespace sightline
