// cross: of factor x factor patches the strongest of each number, then one linear layer.

#include "model/connector_rule.h"

#include <ATen/ops/amax.h>

namespace sightline {

ConnectorRule connector_cross() {
  return {[](const ConnectorParts& parts, const at::Tensor& features_IPV) {
            return parts.linear("linear", at::amax(squares_of(features_IPV, parts.factor), {2}));
          },
          [](const ConnectorSizes& sizes) -> NamedShapes {
            return {{"linear.weight", {sizes.language, sizes.vision}},
                    {"linear.bias", {sizes.language}}};
          }};
}

}  // namespace sightline
