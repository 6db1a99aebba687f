// mlp: LLaVA's two layers on every patch.

#include "model/connector_rule.h"

namespace sightline {

ConnectorRule connector_mlp() {
  return {two_layers,
          [](const ConnectorSizes& sizes) { return two_layers_of(sizes.vision, sizes.language); }};
}

}  // namespace sightline
