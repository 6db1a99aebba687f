#include "model/decoder.h"

#include "base/error.h"
#include "model/fused.h"
#include "model/rms_norm.h"
#include "tensor/forget.h"
#include "tensor/sum_type.h"

#include <cmath>

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/outer.h>
#include <ATen/ops/pow.h>

namespace sightline {

Rotary::Rotary(const at::Tensor& positions_T, const LanguageConfig& config, at::ScalarType dtype) {
  const at::ScalarType precise = sum_type(dtype);
  const at::Tensor exponents =
      at::arange(0, config.head_dim, 2, positions_T.options().dtype(precise)) / config.head_dim;
  const at::Tensor angles_Th =
      at::outer(positions_T.to(precise), at::pow(config.rope_theta, -exponents));
  cos_Th_ = angles_Th.cos();
  sin_Th_ = angles_Th.sin();
}

at::Tensor Rotary::operator()(const at::Tensor& x_THd) const {
  return rotated(x_THd, cos_Th_, sin_Th_);
}

Decoder::Decoder(const LanguageConfig& config, const ParamMap& params)
    : config_(config), params_(params), matrices_(config, params) {}

at::Tensor Decoder::embed(const at::Tensor& tokens_T) const {
  return at::embedding(param("model.embed_tokens.weight"), tokens_T);
}

double Decoder::attention_scale() const {
  return 1.0 / std::sqrt(static_cast<double>(config_.head_dim));
}

AttentionNumbers Decoder::attention_numbers() const {
  const at::Tensor& embedding = param("model.embed_tokens.weight");
  return {embedding.device(), embedding.scalar_type(), config_.head_dim};
}

at::Tensor Decoder::norm(const at::Tensor& x_TD, const std::string& name) const {
  return rms_norm(x_TD, param(name + ".weight"), config_.rms_norm_eps);
}

at::Tensor Decoder::layer(const Matrices& matrices, const at::Tensor& x_TD, int64_t number,
                          const Rotary& rotate, const Attend& attend, Dropout dropout) const {
  const std::string prefix = fmt::format("model.layers.{}.", number);
  const auto heads = [&](const at::Tensor& rows, int64_t count) {
    return rows.view({-1, count, config_.head_dim});
  };
  const auto normed = [&](const at::Tensor& rows, const char* name) {
    return [this, rows = rows.detach(), name = prefix + name] { return norm(rows, name); };
  };
  // Products whose matrices train keep what they take. What of that is one pass over memory is
  // forgotten and made again.
  const at::Tensor& matrix = param(prefix + "mlp.down_proj.weight");

  const at::Tensor a_TD = norm(x_TD, prefix + "input_layernorm");
  const auto inputs = matrices.attention_inputs(number, a_TD);
  forget_until_backward(a_TD, {inputs.q_TQ, inputs.k_TK, inputs.v_TK}, matrix,
                        normed(x_TD, "input_layernorm"));
  const at::Tensor attended_THd =
      attend(number, rotate(heads(inputs.q_TQ, config_.num_attention_heads)),
             rotate(heads(inputs.k_TK, config_.num_key_value_heads)),
             heads(inputs.v_TK, config_.num_key_value_heads));
  const at::Tensor y_TD =
      x_TD + dropped_out(matrices.attention_output(number, attended_THd.flatten(1)),
                         dropout.at("attention", number));
  const at::Tensor b_TD = norm(y_TD, prefix + "post_attention_layernorm");
  const auto [gate_TM, up_TM] = matrices.inner(number, b_TD);
  forget_until_backward(b_TD, {gate_TM, up_TM}, matrix, normed(y_TD, "post_attention_layernorm"));
  const at::Tensor inner_TM = swiglu(gate_TM, up_TM);
  const at::Tensor down_TD = matrices.down(number, inner_TM);
  forget_until_backward(
      inner_TM, {down_TD}, matrix,
      [gate = gate_TM.detach(), up = up_TM.detach()] { return swiglu(gate, up); });
  return y_TD + dropped_out(down_TD, dropout.at("mlp", number));
}

at::Tensor Decoder::forward(const at::Tensor& x_TD, const at::Tensor& positions_T,
                            const Attend& attend, Dropout dropout, Activations activations) const {
  const Rotary rotate(positions_T, config_, x_TD.scalar_type());
  at::Tensor x = x_TD;
  for (int64_t i = 0; i < config_.num_hidden_layers; ++i) {
    if (activations == Activations::kept) {
      x = layer(matrices_, x, i, rotate, attend, dropout);
      continue;
    }
    x = recomputed(
        [this, i, rotate, attend, dropout](const at::Tensor& input) {
          return layer(matrices_, input, i, rotate, attend, dropout);
        },
        x, params_.starting_with(fmt::format("language.model.layers.{}.", i)));
  }
  return norm(x, "model.norm");
}

at::Tensor Decoder::forward(const Matrices& matrices, const at::Tensor& x_TD,
                            const at::Tensor& positions_T, const Attend& attend) const {
  const Rotary rotate(positions_T, config_, x_TD.scalar_type());
  at::Tensor x = x_TD;
  for (int64_t i = 0; i < config_.num_hidden_layers; ++i) {
    x = layer(matrices, x, i, rotate, attend, {});
  }
  return norm(x, "model.norm");
}

NamedShapes language_parameters(const LanguageConfig& config) {
  const int64_t d = config.hidden_size, m = config.intermediate_size;
  const int64_t q = config.num_attention_heads * config.head_dim;
  const int64_t kv = config.num_key_value_heads * config.head_dim;
  NamedShapes list = {{"language.model.embed_tokens.weight", {config.vocab_size, d}}};
  for (int64_t i = 0; i < config.num_hidden_layers; ++i) {
    const std::string prefix = fmt::format("language.model.layers.{}.", i);
    list.push_back({prefix + "input_layernorm.weight", {d}});
    list.push_back({prefix + "self_attn.q_proj.weight", {q, d}});
    list.push_back({prefix + "self_attn.k_proj.weight", {kv, d}});
    list.push_back({prefix + "self_attn.v_proj.weight", {kv, d}});
    if (config.kind == LanguageKind::qwen2) {
      list.push_back({prefix + "self_attn.q_proj.bias", {q}});
      list.push_back({prefix + "self_attn.k_proj.bias", {kv}});
      list.push_back({prefix + "self_attn.v_proj.bias", {kv}});
    }
    list.push_back({prefix + "self_attn.o_proj.weight", {d, q}});
    list.push_back({prefix + "post_attention_layernorm.weight", {d}});
    list.push_back({prefix + "mlp.gate_proj.weight", {m, d}});
    list.push_back({prefix + "mlp.up_proj.weight", {m, d}});
    list.push_back({prefix + "mlp.down_proj.weight", {d, m}});
  }
  list.push_back({"language.model.norm.weight", {d}});
  if (!config.tie_word_embeddings)
    list.push_back({"language.lm_head.weight", {config.vocab_size, d}});
  return list;
}

}  // namespace sightline
