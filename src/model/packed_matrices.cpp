#include "model/packed_matrices.h"

#include "base/error.h"
#include "kernels/matrix_kernels.h"

#include <optional>
#include <string>

#include <ATen/Context.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/cat.h>
#include <c10/core/GradMode.h>

namespace sightline {

namespace {

// Measured on AMX, shapes of SmolLM2-135M: 1.1 to 2.2 times as fast as plain at 1 to 50 rows, 1.3
// to 1.5 at 128.
constexpr int64_t kMostRows = 128;

// oneDNN's operators have no header: they are called by their names.
c10::OperatorHandle operator_named(const char* name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "");
}

at::Tensor call(const c10::OperatorHandle& op, std::vector<c10::IValue> arguments) {
  op.callBoxed(&arguments);
  return arguments.front().toTensor();
}

bool machine_packs() {
  const auto op =
      c10::Dispatcher::singleton().findSchema({"mkldnn::_is_mkldnn_bf16_supported", ""});
  if (!op || !at::globalContext().userEnabledMkldnn()) return false;
  std::vector<c10::IValue> stack;
  op->callBoxed(&stack);
  return stack.front().toBool();
}

}  // namespace

std::unique_ptr<PackedMatrices> PackedMatrices::where_it_pays(const LanguageConfig& config,
                                                              const PlainMatrices& plain) {
  const at::Tensor& head = plain.head();
  if (head.scalar_type() != at::kBFloat16 || !head.is_cpu() || !machine_packs()) return nullptr;
  if (preferred_matrix_kernels() != nullptr)
    return nullptr;  // tensor/linear.h needs no other layout
  return std::unique_ptr<PackedMatrices>(new PackedMatrices(config, plain));
}

PackedMatrices::PackedMatrices(const LanguageConfig& config, const PlainMatrices& plain)
    : config_(config), plain_(plain) {
  const c10::NoGradGuard no_grad;
  for (int64_t i = 0; i < config.num_hidden_layers; ++i) {
    const auto one = [&](const std::string& name) {
      return pack(plain.weight(i, name), plain.bias(i, name));
    };
    const auto joined = [&](const std::vector<std::string>& names) {
      std::vector<at::Tensor> weights, biases;
      for (const std::string& name : names) {
        weights.push_back(plain.weight(i, name));
        if (plain.bias(i, name).defined()) biases.push_back(plain.bias(i, name));
      }
      return pack(at::cat(weights), biases.empty() ? at::Tensor() : at::cat(biases));
    };
    layers_.push_back(
        {.attention_inputs = joined({"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"}),
         .attention_output = one("self_attn.o_proj"),
         .inner = joined({"mlp.gate_proj", "mlp.up_proj"}),
         .down = one("mlp.down_proj")});
  }
  head_ = pack(plain.head(), {});
}

PackedMatrices::Packed PackedMatrices::pack(const at::Tensor& weight, const at::Tensor& bias) {
  static const c10::OperatorHandle reorder = operator_named("mkldnn::_reorder_linear_weight");
  return {.weight = call(reorder, {weight.detach().contiguous(), int64_t{1}}),
          .bias = bias.defined() ? bias.detach() : bias,
          .inputs = weight.size(1)};
}

at::Tensor PackedMatrices::product(const Packed& matrix, const at::Tensor& x) {
  static const c10::OperatorHandle linear = operator_named("mkldnn::_linear_pointwise");
  SL_ASSERT(x.size(1) == matrix.inputs, "rows of {} for a matrix of {}", x.size(1), matrix.inputs);
  const c10::IValue bias = matrix.bias.defined() ? c10::IValue(matrix.bias) : c10::IValue();
  return call(linear, {x, matrix.weight, bias, std::string("none"),
                       c10::List<std::optional<at::Scalar>>(), std::optional<std::string>()});
}

// With gradients on the operators fall back to a reference kernel, thousands of times slower.
bool PackedMatrices::takes(const at::Tensor& x) const {
  return x.size(0) <= kMostRows && !c10::GradMode::is_enabled();
}

Matrices::AttentionInputs PackedMatrices::attention_inputs(int64_t layer,
                                                           const at::Tensor& x_TD) const {
  if (!takes(x_TD)) return plain_.attention_inputs(layer, x_TD);
  const at::Tensor all = product(layers_[static_cast<size_t>(layer)].attention_inputs, x_TD);
  const int64_t q = config_.num_attention_heads * config_.head_dim;
  const int64_t kv = config_.num_key_value_heads * config_.head_dim;
  return {all.narrow(1, 0, q), all.narrow(1, q, kv), all.narrow(1, q + kv, kv)};
}

at::Tensor PackedMatrices::attention_output(int64_t layer, const at::Tensor& attended_TQ) const {
  if (!takes(attended_TQ)) return plain_.attention_output(layer, attended_TQ);
  return product(layers_[static_cast<size_t>(layer)].attention_output, attended_TQ);
}

Matrices::Inner PackedMatrices::inner(int64_t layer, const at::Tensor& x_TD) const {
  if (!takes(x_TD)) return plain_.inner(layer, x_TD);
  const at::Tensor both = product(layers_[static_cast<size_t>(layer)].inner, x_TD);
  const int64_t m = config_.intermediate_size;
  return {both.narrow(1, 0, m), both.narrow(1, m, m)};
}

at::Tensor PackedMatrices::down(int64_t layer, const at::Tensor& inner_TM) const {
  if (!takes(inner_TM)) return plain_.down(layer, inner_TM);
  return product(layers_[static_cast<size_t>(layer)].down, inner_TM);
}

at::Tensor PackedMatrices::logits(const at::Tensor& x_TD) const {
  return takes(x_TD) ? product(head_, x_TD) : plain_.logits(x_TD);
}

}  // namespace sightline
