#include "model/connector.h"

#include "base/error.h"
#include "recipe/choices.h"
#include "tensor/linear.h"

#include <cmath>

#include <ATen/ops/gelu.h>

namespace sightline {

#define SIGHTLINE_DECLARE(name, of) ConnectorRule connector_##name();
SIGHTLINE_CONNECTORS(SIGHTLINE_DECLARE)
#undef SIGHTLINE_DECLARE

namespace {

ConnectorRule rule_of(ConnectorKind kind) {
#define SIGHTLINE_CASE(name, of) \
  case ConnectorKind::name:      \
    return connector_##name();
  switch (kind) { SIGHTLINE_CONNECTORS(SIGHTLINE_CASE) }
#undef SIGHTLINE_CASE
  SL_ASSERT(false, "connector {}", static_cast<int>(kind));
}

}  // namespace

at::Tensor ConnectorParts::linear(const std::string& name, const at::Tensor& x) const {
  return linear_layer(x, param(name + ".weight"), param(name + ".bias"));
}

at::Tensor squares_of(const at::Tensor& features_IPV, int64_t factor) {
  const int64_t side = std::lround(std::sqrt(static_cast<double>(features_IPV.size(1))));
  SL_ASSERT(side * side == features_IPV.size(1) && side % factor == 0,
            "{} patches are no squares of {}", features_IPV.size(1), factor);
  const int64_t blocks = side / factor;
  return features_IPV
      .reshape({features_IPV.size(0), blocks, factor, blocks, factor, features_IPV.size(2)})
      .permute({0, 1, 3, 2, 4, 5})
      .reshape({features_IPV.size(0), blocks * blocks, factor * factor, features_IPV.size(2)});
}

at::Tensor two_layers(const ConnectorParts& parts, const at::Tensor& x) {
  const at::Tensor hidden = at::gelu(parts.linear("linear_1", x));
  return parts.linear("linear_2", dropped_out(hidden, parts.dropout));
}

NamedShapes two_layers_of(int64_t inputs, int64_t language) {
  return {{"linear_1.weight", {language, inputs}},
          {"linear_1.bias", {language}},
          {"linear_2.weight", {language, language}},
          {"linear_2.bias", {language}}};
}

Connector::Connector(const ConnectorConfig& config, double norm_epsilon, const ParamMap& params)
    : rule_(rule_of(config.kind)), parts_{params, config.factor, norm_epsilon, {}} {}

at::Tensor Connector::forward(const at::Tensor& features_IPV, Dropout dropout) const {
  ConnectorParts parts = parts_;
  parts.dropout = dropout;
  return rule_.forward(parts, features_IPV);
}

NamedShapes connector_parameters(const ConnectorConfig& config, int64_t vision_size,
                                 int64_t language_size) {
  const int64_t factor = config.has_factor() ? config.factor : 1;
  NamedShapes list =
      rule_of(config.kind)
          .parameters({.vision = vision_size, .language = language_size, .factor = factor});
  for (auto& [name, shape] : list) name = "connector." + name;
  return list;
}

}  // namespace sightline
