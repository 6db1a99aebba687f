#include "model/vision_encoder.h"

#include "base/error.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/scaled_dot_product_attention.h>

namespace sightline {

VisionEncoder::VisionEncoder(const VisionConfig& config, const ParamMap& params)
    : config_(config), params_(params) {}

at::Tensor VisionEncoder::patches(const at::Tensor& pixels_ICHW) const {
  const at::Tensor& weight = param("embeddings.patch_embeddings.projection.weight");
  const at::Tensor& bias = param("embeddings.patch_embeddings.projection.bias");
  const int64_t stride = config_.patch_size;
  const at::Tensor grid_IDhw =
      at::conv2d(pixels_ICHW.to(weight.scalar_type()), weight, bias, {stride, stride});
  return grid_IDhw.flatten(2).transpose(1, 2);
}

at::Tensor VisionEncoder::with_positions(const at::Tensor& patches_IPD) const {
  const at::Tensor class_token =
      param("embeddings.cls_token").expand({patches_IPD.size(0), 1, config_.hidden_size});
  return at::cat({class_token, patches_IPD}, 1) + param("embeddings.position_embeddings");
}

at::Tensor VisionEncoder::layer(const at::Tensor& x_IND, int64_t number, Dropout dropout) const {
  const std::string prefix = fmt::format("encoder.layer.{}.", number);
  const auto linear = [&](const at::Tensor& x, const char* name) {
    return at::linear(x, param(prefix + name + ".weight"), param(prefix + name + ".bias"));
  };
  const auto norm = [&](const at::Tensor& x, const char* name) {
    return at::layer_norm(x, {config_.hidden_size}, param(prefix + name + ".weight"),
                          param(prefix + name + ".bias"), config_.layer_norm_eps);
  };
  const auto heads = [&](const at::Tensor& x) {
    return x.unflatten(2, {config_.num_attention_heads, -1}).transpose(1, 2);
  };

  const at::Tensor a = norm(x_IND, "layernorm_before");
  const at::Tensor attended = at::scaled_dot_product_attention(
      heads(linear(a, "attention.attention.query")), heads(linear(a, "attention.attention.key")),
      heads(linear(a, "attention.attention.value")));
  const at::Tensor added = linear(attended.transpose(1, 2).flatten(2), "attention.output.dense");
  const at::Tensor x = x_IND + dropped_out(added, dropout.at("attention", number));
  const at::Tensor inner = linear(norm(x, "layernorm_after"), "intermediate.dense");
  return x + dropped_out(linear(at::gelu(inner), "output.dense"), dropout.at("mlp", number));
}

at::Tensor VisionEncoder::finish(const at::Tensor& x_IND) const {
  const at::Tensor normed = at::layer_norm(x_IND, {config_.hidden_size}, param("layernorm.weight"),
                                           param("layernorm.bias"), config_.layer_norm_eps);
  return normed.slice(1, 1);  // patches alone: the class token has no place in the picture
}

at::Tensor VisionEncoder::below(const at::Tensor& pixels_ICHW, int64_t depth,
                                Dropout dropout) const {
  SL_ASSERT(depth >= 0 && depth <= config_.num_hidden_layers + 1, "depth {}", depth);
  at::Tensor x = with_positions(patches(pixels_ICHW));
  for (int64_t i = 0; i < std::min(depth, config_.num_hidden_layers); ++i) {
    x = layer(x, i, dropout);
  }
  return depth > config_.num_hidden_layers ? finish(x) : x;
}

at::Tensor VisionEncoder::above(const at::Tensor& hidden_IND, int64_t depth,
                                Dropout dropout) const {
  if (depth > config_.num_hidden_layers) return hidden_IND;
  at::Tensor x = hidden_IND;
  for (int64_t i = depth; i < config_.num_hidden_layers; ++i) x = layer(x, i, dropout);
  return finish(x);
}

at::Tensor VisionEncoder::forward(const at::Tensor& pixels_ICHW, Dropout dropout) const {
  return below(pixels_ICHW, config_.num_hidden_layers + 1, dropout);
}

std::vector<int64_t> VisionEncoder::shape_at(int64_t depth) const {
  const int64_t patches = config_.num_patches();
  return {depth > config_.num_hidden_layers ? patches : patches + 1, config_.hidden_size};
}

std::vector<std::pair<std::string, std::vector<int64_t>>> vision_parameters(
    const VisionConfig& config) {
  const int64_t d = config.hidden_size, m = config.intermediate_size, p = config.patch_size;
  std::vector<std::pair<std::string, std::vector<int64_t>>> list = {
      {"vision.embeddings.cls_token", {1, 1, d}},
      {"vision.embeddings.position_embeddings", {1, config.num_patches() + 1, d}},
      {"vision.embeddings.patch_embeddings.projection.weight", {d, 3, p, p}},
      {"vision.embeddings.patch_embeddings.projection.bias", {d}}};
  for (int64_t i = 0; i < config.num_hidden_layers; ++i) {
    const std::string prefix = fmt::format("vision.encoder.layer.{}.", i);
    const auto linear = [&](const char* name, int64_t out, int64_t in) {
      list.push_back({prefix + name + ".weight", {out, in}});
      list.push_back({prefix + name + ".bias", {out}});
    };
    const auto norm = [&](const char* name) {
      list.push_back({prefix + name + ".weight", {d}});
      list.push_back({prefix + name + ".bias", {d}});
    };
    norm("layernorm_before");
    linear("attention.attention.query", d, d);
    linear("attention.attention.key", d, d);
    linear("attention.attention.value", d, d);
    linear("attention.output.dense", d, d);
    norm("layernorm_after");
    linear("intermediate.dense", m, d);
    linear("output.dense", d, m);
  }
  list.push_back({"vision.layernorm.weight", {d}});
  list.push_back({"vision.layernorm.bias", {d}});
  return list;
}

}  // namespace sightline
