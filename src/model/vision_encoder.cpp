#include "model/vision_encoder.h"

#include "base/error.h"
#include "model/fused.h"
#include "model/vision_names.h"
#include "tensor/forget.h"
#include "tensor/linear.h"
#include "tensor/tile_attention.h"

#include <cmath>
#include <utility>
#include <vector>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/scaled_dot_product_attention.h>

namespace sightline {

namespace {

// Every row of a picture sees every other: x [I, N, H d] -> the same.
at::Tensor attention(const at::Tensor& q_IND, const at::Tensor& k_IND, const at::Tensor& v_IND,
                     int64_t heads) {
  const int64_t images = q_IND.size(0), rows = q_IND.size(1), d = q_IND.size(2) / heads;
  if (!takes_tiles(q_IND.device(), q_IND.scalar_type(), d)) {
    const auto of_heads = [&](const at::Tensor& x) {
      return x.unflatten(2, {heads, d}).transpose(1, 2);
    };
    return at::scaled_dot_product_attention(of_heads(q_IND), of_heads(k_IND), of_heads(v_IND))
        .transpose(1, 2)
        .flatten(2);
  }
  AttentionPlan plan{.rows = images * rows};
  for (int64_t i = 0; i < images; ++i) {
    const auto begin = static_cast<int32_t>(i * rows), end = static_cast<int32_t>((i + 1) * rows);
    plan.runs.push_back({.begin = begin, .end = end, .own_begin = begin, .causal = false});
  }
  const auto packed = [&](const at::Tensor& x) { return x.reshape({images * rows, heads, d}); };
  return tile_attention(tile_tables(plan), packed(q_IND), packed(k_IND), packed(v_IND),
                        1.0 / std::sqrt(static_cast<double>(d)))
      .view(q_IND.sizes());
}

}  // namespace

VisionEncoder::VisionEncoder(const VisionConfig& config, const ParamMap& params)
    : config_(config), params_(params), matrices_(config, params) {}

at::Tensor patch_numbers(const at::Tensor& pixels_ICHW, int64_t patch_size) {
  const int64_t channels = pixels_ICHW.size(1);
  const int64_t down = pixels_ICHW.size(2) / patch_size, across = pixels_ICHW.size(3) / patch_size;
  return pixels_ICHW.narrow(2, 0, down * patch_size)
      .narrow(3, 0, across * patch_size)
      .reshape({-1, channels, down, patch_size, across, patch_size})
      .permute({0, 2, 4, 1, 3, 5})
      .reshape({-1, down * across, channels * patch_size * patch_size});
}

// A convolution whose steps are as wide as its patches: a product with each patch's numbers, which
// is how it is computed where the library has none of bf16.
at::Tensor VisionEncoder::patches(const at::Tensor& pixels_ICHW) const {
  const std::string name = vision_names(config_).patches;
  const at::Tensor& weight = param(name + ".weight");
  const at::Tensor& bias = param(name + ".bias");
  const at::Tensor pixels = pixels_ICHW.to(weight.scalar_type());
  const int64_t size = config_.patch_size;
  if (multiplies_by_kernels(weight.device(), weight.scalar_type())) {
    return linear_layer(patch_numbers(pixels, size), weight.flatten(1), bias);
  }
  return at::conv2d(pixels, weight, bias, {size, size}).flatten(2).transpose(1, 2);
}

at::Tensor VisionEncoder::with_positions(const at::Tensor& patches_IPD) const {
  const at::Tensor& positions = param(vision_names(config_).positions);
  if (config_.class_tokens() == 0) return patches_IPD + positions;
  const at::Tensor class_token =
      param("embeddings.cls_token").expand({patches_IPD.size(0), 1, config_.hidden_size});
  return at::cat({class_token, patches_IPD}, 1) + positions;
}

at::Tensor VisionEncoder::layer(const VisionMatrices& matrices, const at::Tensor& x_IND,
                                int64_t number, Dropout dropout) const {
  const VisionNames& names = vision_names(config_);
  const std::string prefix = names.layer(number);
  const auto norm = [this, prefix](const at::Tensor& x, const char* name) {
    return at::layer_norm(x, {config_.hidden_size}, param(prefix + name + ".weight"),
                          param(prefix + name + ".bias"), config_.layer_norm_eps);
  };

  const auto normed = [norm](const at::Tensor& x, const char* name) {
    return [norm, x = x.detach(), name] { return norm(x, name); };
  };
  // As in the decoder's layers: what is one pass over memory is not kept for products that train.
  const at::Tensor& matrix = param(prefix + names.down + ".weight");

  const at::Tensor a = norm(x_IND, names.norm_before);
  const auto [q, k, v] = matrices.attention_inputs(number, a);
  forget_until_backward(a, {q, k, v}, matrix, normed(x_IND, names.norm_before));
  const at::Tensor attended = attention(q, k, v, config_.num_attention_heads);
  const at::Tensor added = matrices.attention_output(number, attended);
  const at::Tensor x = x_IND + dropped_out(added, dropout.at("attention", number));
  const at::Tensor b = norm(x, names.norm_after);
  const at::Tensor inner = matrices.up(number, b);
  forget_until_backward(b, {inner}, matrix, normed(x, names.norm_after));
  const auto gelu = [kind = config_.kind](const at::Tensor& input) {
    return kind == VisionKind::vit ? at::gelu(input) : gelu_by_tanh(input);
  };
  const at::Tensor active = gelu(inner);
  const at::Tensor down = matrices.down(number, active);
  forget_until_backward(active, {down}, matrix,
                        [gelu, input = inner.detach()] { return gelu(input); });
  return x + dropped_out(down, dropout.at("mlp", number));
}

at::Tensor VisionEncoder::finish(const at::Tensor& x_IND) const {
  // Patches alone: the class token has no place in the picture.
  const at::Tensor patches_IPD = x_IND.slice(1, config_.class_tokens());
  if (!config_.last_norm) return patches_IPD;
  const std::string name = vision_names(config_).last_norm;
  return at::layer_norm(patches_IPD, {config_.hidden_size}, param(name + ".weight"),
                        param(name + ".bias"), config_.layer_norm_eps);
}

at::Tensor VisionEncoder::layers(at::Tensor x_IND, int64_t first, int64_t last, Dropout dropout,
                                 Activations activations) const {
  for (int64_t i = first; i < last; ++i) {
    if (activations == Activations::kept) {
      x_IND = layer(matrices_, x_IND, i, dropout);
      continue;
    }
    x_IND = recomputed(
        [this, i, dropout](const at::Tensor& x) { return layer(matrices_, x, i, dropout); }, x_IND,
        params_.starting_with("vision." + vision_names(config_).layer(i)));
  }
  return x_IND;
}

at::Tensor VisionEncoder::below(const at::Tensor& pixels_ICHW, int64_t depth, Dropout dropout,
                                Activations activations) const {
  SL_ASSERT(depth >= 0 && depth <= config_.num_hidden_layers + 1, "depth {}", depth);
  const at::Tensor x = layers(with_positions(patches(pixels_ICHW)), 0,
                              std::min(depth, config_.num_hidden_layers), dropout, activations);
  return depth > config_.num_hidden_layers ? finish(x) : x;
}

at::Tensor VisionEncoder::above(const at::Tensor& hidden_IND, int64_t depth, Dropout dropout,
                                Activations activations) const {
  if (depth > config_.num_hidden_layers) return hidden_IND;
  return finish(layers(hidden_IND, depth, config_.num_hidden_layers, dropout, activations));
}

at::Tensor VisionEncoder::forward(const at::Tensor& pixels_ICHW, Dropout dropout,
                                  Activations activations) const {
  return below(pixels_ICHW, config_.num_hidden_layers + 1, dropout, activations);
}

at::Tensor VisionEncoder::forward(const VisionMatrices& matrices,
                                  const at::Tensor& pixels_ICHW) const {
  at::Tensor x = with_positions(patches(pixels_ICHW));
  for (int64_t i = 0; i < config_.num_hidden_layers; ++i) x = layer(matrices, x, i, {});
  return finish(x);
}

std::vector<int64_t> VisionEncoder::shape_at(int64_t depth) const {
  const int64_t patches = config_.num_patches();
  const bool finished = depth > config_.num_hidden_layers;
  return {finished ? patches : patches + config_.class_tokens(), config_.hidden_size};
}

NamedShapes vision_parameters(const VisionConfig& config) {
  const int64_t d = config.hidden_size, m = config.intermediate_size, p = config.patch_size;
  const VisionNames& names = vision_names(config);
  const int64_t tokens = config.num_patches() + config.class_tokens();
  NamedShapes list;
  const auto add = [&](const std::string& name, std::vector<int64_t> shape) {
    list.emplace_back("vision." + name, std::move(shape));
  };
  if (config.class_tokens() > 0) add("embeddings.cls_token", {1, 1, d});
  // SigLIP's positions are an embedding table.
  add(names.positions, config.kind == VisionKind::vit ? std::vector<int64_t>{1, tokens, d}
                                                      : std::vector<int64_t>{tokens, d});
  add(names.patches + std::string(".weight"), {d, 3, p, p});
  add(names.patches + std::string(".bias"), {d});
  for (int64_t i = 0; i < config.num_hidden_layers; ++i) {
    const std::string prefix = names.layer(i);
    const auto linear = [&](const char* name, int64_t out, int64_t in) {
      add(prefix + name + ".weight", {out, in});
      add(prefix + name + ".bias", {out});
    };
    const auto norm = [&](const char* name) {
      add(prefix + name + ".weight", {d});
      add(prefix + name + ".bias", {d});
    };
    norm(names.norm_before);
    linear(names.query, d, d);
    linear(names.key, d, d);
    linear(names.value, d, d);
    linear(names.out, d, d);
    norm(names.norm_after);
    linear(names.up, m, d);
    linear(names.down, d, m);
  }
  if (config.last_norm) {
    add(names.last_norm + std::string(".weight"), {d});
    add(names.last_norm + std::string(".bias"), {d});
  }
  return list;
}

}  // namespace sightline
