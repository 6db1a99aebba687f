#include "model/vision_matrices.h"

#include "model/vision_names.h"
#include "tensor/linear.h"

namespace sightline {

const at::Tensor& PlainVisionMatrices::weight(int64_t layer, const char* name) const {
  return params_.at("vision." + vision_names(config_).layer(layer) + name + ".weight");
}

const at::Tensor& PlainVisionMatrices::bias(int64_t layer, const char* name) const {
  return params_.at("vision." + vision_names(config_).layer(layer) + name + ".bias");
}

at::Tensor PlainVisionMatrices::product(int64_t layer, const at::Tensor& x,
                                        const char* name) const {
  return linear_layer(x, weight(layer, name), bias(layer, name));
}

VisionMatrices::AttentionInputs PlainVisionMatrices::attention_inputs(
    int64_t layer, const at::Tensor& x_IND) const {
  const VisionNames& names = vision_names(config_);
  return {product(layer, x_IND, names.query), product(layer, x_IND, names.key),
          product(layer, x_IND, names.value)};
}

at::Tensor PlainVisionMatrices::attention_output(int64_t layer,
                                                 const at::Tensor& attended_IND) const {
  return product(layer, attended_IND, vision_names(config_).out);
}

at::Tensor PlainVisionMatrices::up(int64_t layer, const at::Tensor& x_IND) const {
  return product(layer, x_IND, vision_names(config_).up);
}

at::Tensor PlainVisionMatrices::down(int64_t layer, const at::Tensor& inner_INM) const {
  return product(layer, inner_INM, vision_names(config_).down);
}

}  // namespace sightline
