#include "model/matrices.h"

#include <array>
#include <vector>

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

Weight PlainMatrices::matrix(int64_t layer, const std::string& name) const {
  return {weight(layer, name), bias(layer, name)};
}

Matrices::AttentionInputs PlainMatrices::attention_inputs(int64_t layer,
                                                          const at::Tensor& x_TD) const {
  const std::array matrices{matrix(layer, "self_attn.q_proj"), matrix(layer, "self_attn.k_proj"),
                            matrix(layer, "self_attn.v_proj")};
  const std::vector<at::Tensor> qkv = linears(x_TD, matrices);
  return {qkv[0], qkv[1], qkv[2]};
}

at::Tensor PlainMatrices::attention_output(int64_t layer, const at::Tensor& attended_TQ,
                                          const at::Tensor& added_TD) const {
  return linear_added(added_TD, attended_TQ, matrix(layer, "self_attn.o_proj"));
}

Matrices::Inner PlainMatrices::inner(int64_t layer, const at::Tensor& x_TD) const {
  const std::array matrices{matrix(layer, "mlp.gate_proj"), matrix(layer, "mlp.up_proj")};
  const std::vector<at::Tensor> both = linears(x_TD, matrices);
  return {both[0], both[1]};
}

at::Tensor PlainMatrices::down(int64_t layer, const at::Tensor& inner_TM,
                              const at::Tensor& added_TD) const {
  return linear_added(added_TD, inner_TM, matrix(layer, "mlp.down_proj"));
}

at::Tensor PlainMatrices::logits(const at::Tensor& x_TD) const {
  return linear(x_TD, {head(), {}});
}

}  // namespace sightline
