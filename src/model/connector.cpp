#include "model/connector.h"

#include "base/error.h"

#include <cmath>

#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>

namespace sightline {

namespace {

// [I, P, V] -> [I, P / f^2, f * f * V]
at::Tensor shuffle(const at::Tensor& features_IPV, int64_t factor) {
  const int64_t side = std::lround(std::sqrt(static_cast<double>(features_IPV.size(1))));
  SL_ASSERT(side * side == features_IPV.size(1) && side % factor == 0,
            "{} patches do not shuffle by {}", features_IPV.size(1), factor);
  const int64_t blocks = side / factor;
  return features_IPV
      .reshape({features_IPV.size(0), blocks, factor, blocks, factor, features_IPV.size(2)})
      .permute({0, 1, 3, 2, 4, 5})
      .reshape({features_IPV.size(0), blocks * blocks, factor * factor * features_IPV.size(2)});
}

}  // namespace

Connector::Connector(const ConnectorConfig& config, const ParamMap& params)
    : config_(config), params_(params) {}

at::Tensor Connector::forward(const at::Tensor& features_IPV, Dropout dropout) const {
  const at::Tensor x =
      config_.kind == ConnectorKind::shuffle ? shuffle(features_IPV, config_.factor) : features_IPV;
  const at::Tensor inner =
      at::linear(x, params_.at("connector.linear_1.weight"), params_.at("connector.linear_1.bias"));
  return at::linear(dropped_out(at::gelu(inner), dropout), params_.at("connector.linear_2.weight"),
                    params_.at("connector.linear_2.bias"));
}

std::vector<std::pair<std::string, std::vector<int64_t>>> connector_parameters(
    const ConnectorConfig& config, int64_t vision_size, int64_t language_size) {
  const int64_t factor = config.kind == ConnectorKind::shuffle ? config.factor : 1;
  return {{"connector.linear_1.weight", {language_size, factor * factor * vision_size}},
          {"connector.linear_1.bias", {language_size}},
          {"connector.linear_2.weight", {language_size, language_size}},
          {"connector.linear_2.bias", {language_size}}};
}

}  // namespace sightline
