#include "model/model.h"

#include "base/error.h"
#include "base/rng.h"
#include "batch/image_rows.h"
#include "tensor/device.h"

#include <cmath>

#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

namespace sightline {

int64_t ModelConfig::rows_per_image() const {
  return sees() ? sightline::rows_per_image(*vision, connector) : 0;
}

Model::Model(ModelConfig config, ParamMap params)
    : config_(std::move(config)), params_(std::move(params)) {
  if (config_.vision) vision_.emplace(*config_.vision, params_);
  if (config_.language) language_.emplace(*config_.language, params_);
  if (config_.sees())
    connector_.emplace(config_.connector, config_.vision->layer_norm_eps, params_);
}

at::ScalarType Model::dtype() const { return params_.begin()->second.scalar_type(); }

at::Device Model::device() const { return params_.begin()->second.device(); }

void Model::move_to(at::Device device) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : params_) names.push_back(name);
  for (const std::string& name : names) {
    SL_ASSERT(!params_.at(name).requires_grad(), "{} is being trained", name);
    params_.replace(name, on_device(params_.at(name), device));
  }
}

const VisionEncoder& Model::vision() const {
  SL_ASSERT(vision_.has_value(), "the model has no vision part");
  return *vision_;
}

const Connector& Model::connector() const {
  SL_ASSERT(connector_.has_value(), "the model has no connector");
  return *connector_;
}

const Decoder& Model::language() const {
  SL_ASSERT(language_.has_value(), "the model has no language part");
  return *language_;
}

at::Tensor Model::image_rows(const at::Tensor& pixels_or_hidden, int64_t depth,
                             const ModelDropout& dropout, Activations activations) const {
  const at::Tensor input = on_device(pixels_or_hidden, device());
  const at::Tensor features_IPV =
      depth == kFromPixels ? vision().forward(input, dropout.vision, activations)
                           : vision().above(input.to(dtype()), depth, dropout.vision, activations);
  return connector().forward(features_IPV, dropout.connector);
}

at::Tensor Model::embed(const Batch& batch, const at::Tensor& image_rows_IRD) const {
  std::vector<int64_t> tokens, rows;
  for (int64_t row = 0; row < batch.rows(); ++row) {
    if (batch.tokens_T[row] == kImageRow) continue;
    SL_ASSERT(batch.tokens_T[row] >= 0 && batch.tokens_T[row] < config_.language->vocab_size,
              "token {} of a vocabulary of {}", batch.tokens_T[row], config_.language->vocab_size);
    tokens.push_back(batch.tokens_T[row]);
    rows.push_back(row);
  }
  const at::Tensor text = language().embed(indices(tokens, device()));
  if (batch.image_rows.empty()) return text;
  SL_ASSERT(image_rows_IRD.numel() == static_cast<int64_t>(batch.image_rows.size()) * text.size(1),
            "{} image rows in the batch, {} numbers given", batch.image_rows.size(),
            image_rows_IRD.numel());
  const at::Tensor x_TD = at::zeros({batch.rows(), text.size(1)}, text.options());
  return x_TD.index_copy(0, indices(rows, device()), text)
      .index_copy(0, indices(batch.image_rows, device()), image_rows_IRD.flatten(0, 1));
}

at::Tensor Model::forward(const Batch& batch, const at::Tensor& image_rows_IRD,
                          const ModelDropout& dropout, Activations activations) const {
  const AttentionTables tables = lower_plan(batch.plan, language().attention_numbers());
  const double scale = language().attention_scale();
  return language().forward(
      embed(batch, image_rows_IRD), indices(batch.layout.position_T, device()),
      [tables, scale](int64_t, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
        return planned_attention(tables, q, k, v, scale);
      },
      dropout.language, activations);
}

NamedShapes parameter_shapes(const ModelConfig& config) {
  NamedShapes list;
  const auto append = [&](auto more) { list.insert(list.end(), more.begin(), more.end()); };
  if (config.vision) append(vision_parameters(*config.vision));
  if (config.sees()) {
    append(connector_parameters(config.connector, config.vision->hidden_size,
                                config.language->hidden_size));
  }
  if (config.language) append(language_parameters(*config.language));
  return list;
}

namespace {

// Gemma's projection is stored as [in, out], linear layers as [out, in].
int64_t inputs_of_connector(const std::string& name, const std::vector<int64_t>& shape) {
  return name == "connector.mm_input_projection_weight" ? shape.front() : shape.back();
}

}  // namespace

at::Tensor random_parameter(const std::string& name, const std::vector<int64_t>& shape,
                            uint64_t seed, double initializer_range) {
  const bool is_bias = name.ends_with(".bias");
  const bool is_norm = name.find("norm") != std::string::npos;
  const bool is_offset = name == "connector.mm_soft_emb_norm.weight";  // from 1, as Gemma's
  if (is_bias || is_offset) return at::zeros(shape, at::kFloat);
  if (is_norm) return at::ones(shape, at::kFloat);
  double deviation = initializer_range;
  if (name.starts_with("connector."))
    deviation = 1.0 / std::sqrt(static_cast<double>(inputs_of_connector(name, shape)));
  at::Tensor tensor = at::empty(shape, at::kFloat);
  Rng rng(derive_seed(seed, name));
  float* values = tensor.data_ptr<float>();
  for (int64_t i = 0; i < tensor.numel(); ++i) {
    values[i] = static_cast<float>(deviation * rng.normal());
  }
  return tensor;
}

}  // namespace sightline
