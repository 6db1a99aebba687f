// shuffle: the patches of a square side by side, then LLaVA's two layers.

#include "model/connector_rule.h"

namespace sightline {

ConnectorRule connector_shuffle() {
  return {[](const ConnectorParts& parts, const at::Tensor& features_IPV) {
            return two_layers(parts, squares_of(features_IPV, parts.factor).flatten(2));
          },
          [](const ConnectorSizes& sizes) {
            return two_layers_of(sizes.factor * sizes.factor * sizes.vision, sizes.language);
          }};
}

}  // namespace sightline
