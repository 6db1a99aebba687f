#include "generate/step_weights.h"

#include "base/error.h"
#include "tensor/device.h"

#include <array>
#include <optional>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <c10/core/GradMode.h>

namespace sightline {
namespace {

std::vector<float> all_numbers(const at::Tensor& tensor) {
  const at::Tensor precise = tensor.detach().to(at::kFloat).contiguous();
  const float* const values = precise.const_data_ptr<float>();
  return {values, values + precise.numel()};
}

WeightMatrix view_of(const at::Tensor& weight_NK) {
  SL_ASSERT(weight_NK.is_contiguous() && weight_NK.is_cpu(), "a matrix apart in memory");
  const bool is_bf16 = weight_NK.scalar_type() == at::kBFloat16;
  SL_ASSERT(is_bf16 || weight_NK.scalar_type() == at::kFloat, "row kernels read fp32 and bf16");
  return {.format = is_bf16 ? WeightFormat::bf16 : WeightFormat::fp32,
          .values = weight_NK.const_data_ptr(),
          .outputs = weight_NK.size(0),
          .inputs = weight_NK.size(1)};
}

int64_t bytes_of(const WeightMatrix& matrix) {
  const int64_t numbers = matrix.outputs * matrix.inputs;
  const int64_t groups = matrix.outputs * weight_groups(matrix.inputs);
  switch (matrix.format) {
    case WeightFormat::fp32:
      return numbers * 4;
    case WeightFormat::bf16:
      return numbers * 2;
    case WeightFormat::int8:
      return groups * (kWeightGroup + 4);
    case WeightFormat::int4:
      return groups * (kWeightGroup / 2 + 8);
  }
  return 0;
}

std::string layer_name(int64_t layer, const char* name) {
  return fmt::format("language.model.layers.{}.{}", layer, name);
}

constexpr std::array kMatrices = {"self_attn.q_proj.weight", "self_attn.k_proj.weight",
                                  "self_attn.v_proj.weight", "self_attn.o_proj.weight",
                                  "mlp.gate_proj.weight",    "mlp.up_proj.weight",
                                  "mlp.down_proj.weight"};

}  // namespace

std::vector<GroupedWeights> grouped_weights(WeightFormat format,
                                            std::span<const at::Tensor> matrices) {
  std::vector<std::optional<GroupedWeights>> made(matrices.size());
  at::parallel_for(0, std::ssize(matrices), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const at::Tensor& matrix_NK = matrices[static_cast<size_t>(i)];
      made[static_cast<size_t>(i)].emplace(format, all_numbers(matrix_NK), matrix_NK.size(0),
                                           matrix_NK.size(1));
    }
  });
  std::vector<GroupedWeights> all;
  for (std::optional<GroupedWeights>& each : made) all.push_back(std::move(*each));
  return all;
}

StepWeights::StepWeights(const Model& model, DecodingWeights kind) : model_(model) {
  const c10::NoGradGuard no_grad;
  const LanguageConfig& config = model.language().config();
  for (const auto& [name, tensor] : model.params()) {
    if (name.starts_with("language.")) host_.add(name, tensor.detach().cpu());
  }
  const auto vector = [&](const std::string& name) {
    return host_.contains(name) ? all_numbers(host_.at(name)) : std::vector<float>();
  };
  const std::string embedding_name = "language.model.embed_tokens.weight";
  head_name_ = config.tie_word_embeddings ? embedding_name : "language.lm_head.weight";
  if (kind != DecodingWeights::whole) {
    round_matrices(kind == DecodingWeights::int4 ? WeightFormat::int4 : WeightFormat::int8);
  }
  for (int64_t i = 0; i < config.num_hidden_layers; ++i) {
    const auto name = [&](const char* of) { return layer_name(i, of); };
    layers.push_back({.attention_norm = vector(name("input_layernorm.weight")),
                      .mlp_norm = vector(name("post_attention_layernorm.weight")),
                      .q = matrix(name("self_attn.q_proj.weight")),
                      .k = matrix(name("self_attn.k_proj.weight")),
                      .v = matrix(name("self_attn.v_proj.weight")),
                      .o = matrix(name("self_attn.o_proj.weight")),
                      .gate = matrix(name("mlp.gate_proj.weight")),
                      .up = matrix(name("mlp.up_proj.weight")),
                      .down = matrix(name("mlp.down_proj.weight")),
                      .q_bias = vector(name("self_attn.q_proj.bias")),
                      .k_bias = vector(name("self_attn.k_proj.bias")),
                      .v_bias = vector(name("self_attn.v_proj.bias"))});
  }
  embedding = view_of(host_.at(embedding_name));
  head = matrix(head_name_);
  last_norm = vector("language.model.norm.weight");
}

void StepWeights::round_matrices(WeightFormat format) {
  std::vector<std::string> names = {head_name_};
  for (int64_t i = 0; i < model_.language().config().num_hidden_layers; ++i) {
    for (const char* name : kMatrices) names.push_back(layer_name(i, name));
  }
  std::vector<at::Tensor> matrices;
  for (const std::string& name : names) matrices.push_back(host_.at(name));
  std::vector<GroupedWeights> rounded = grouped_weights(format, matrices);
  for (size_t i = 0; i < names.size(); ++i) rounded_.emplace(names[i], std::move(rounded[i]));
}

WeightMatrix StepWeights::matrix(const std::string& name) const {
  const auto found = rounded_.find(name);
  return found == rounded_.end() ? view_of(host_.at(name)) : found->second.matrix();
}

ParamMap StepWeights::parameters() const {
  ParamMap params;
  for (const auto& [name, tensor] : model_.params()) {
    if (name.starts_with("language.")) params.add(name, tensor.detach());
  }
  for (const auto& [name, weights] : rounded_) {
    const WeightMatrix matrix = weights.matrix();
    const at::Tensor whole = at::empty({matrix.outputs, matrix.inputs}, at::kFloat);
    float* const to = whole.mutable_data_ptr<float>();
    at::parallel_for(0, matrix.outputs, 64, [&, &weights = weights](int64_t begin, int64_t end) {
      for (int64_t n = begin; n < end; ++n) {
        const std::vector<float> row = weights.row(n);
        std::copy(row.begin(), row.end(), to + n * matrix.inputs);
      }
    });
    params.replace(name, on_device(whole.to(model_.dtype()), model_.device()));
  }
  return params;
}

int64_t StepWeights::bytes() const {
  int64_t sum = bytes_of(head);
  for (const Layer& layer : layers) {
    for (const WeightMatrix* matrix :
         {&layer.q, &layer.k, &layer.v, &layer.o, &layer.gate, &layer.up, &layer.down}) {
      sum += bytes_of(*matrix);
    }
  }
  return sum;
}

}  // namespace sightline
