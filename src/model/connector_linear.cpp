// linear: PaliGemma's one layer on every patch.

#include "model/connector_rule.h"

namespace sightline {

ConnectorRule connector_linear() {
  return {[](const ConnectorParts& parts, const at::Tensor& features_IPV) {
            return parts.linear("linear", features_IPV);
          },
          [](const ConnectorSizes& sizes) -> NamedShapes {
            return {{"linear.weight", {sizes.language, sizes.vision}},
                    {"linear.bias", {sizes.language}}};
          }};
}

}  // namespace sightline
