#include "model/matrices.h"

#include "tensor/linear.h"

#include <fmt/format.h>

namespace sightline {

namespace {

std::string name_of(int64_t layer, const std::string& name) {
  return fmt::format("language.model.layers.{}.{}", layer, name);
}

}  // namespace

const at::Tensor& PlainMatrices::weight(int64_t layer, const std::string& name) const {
  return params_.at(name_of(layer, name) + ".weight");
}

// Of the queries, keys and values of Qwen2 alone.
at::Tensor PlainMatrices::bias(int64_t layer, const std::string& name) const {
  const bool attends = name != "self_attn.o_proj" && name.starts_with("self_attn.");
  if (config_.kind != LanguageKind::qwen2 || !attends) return {};
  return params_.at(name_of(layer, name) + ".bias");
}

const at::Tensor& PlainMatrices::head() const {
  return params_.at(config_.tie_word_embeddings ? "language.model.embed_tokens.weight"
                                                : "language.lm_head.weight");
}

at::Tensor PlainMatrices::product(int64_t layer, const at::Tensor& x,
                                  const std::string& name) const {
  return linear_layer(x, weight(layer, name), bias(layer, name));
}

Matrices::AttentionInputs PlainMatrices::attention_inputs(int64_t layer,
                                                          const at::Tensor& x_TD) const {
  return {product(layer, x_TD, "self_attn.q_proj"), product(layer, x_TD, "self_attn.k_proj"),
          product(layer, x_TD, "self_attn.v_proj")};
}

at::Tensor PlainMatrices::attention_output(int64_t layer, const at::Tensor& attended_TQ) const {
  return product(layer, attended_TQ, "self_attn.o_proj");
}

Matrices::Inner PlainMatrices::inner(int64_t layer, const at::Tensor& x_TD) const {
  return {product(layer, x_TD, "mlp.gate_proj"), product(layer, x_TD, "mlp.up_proj")};
}

at::Tensor PlainMatrices::down(int64_t layer, const at::Tensor& inner_TM) const {
  return product(layer, inner_TM, "mlp.down_proj");
}

at::Tensor PlainMatrices::logits(const at::Tensor& x_TD) const {
  return linear_layer(x_TD, head(), {});
}

}  // namespace sightline
