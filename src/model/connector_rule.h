#pragma once
// What a connector is: a file connector_NAME.cpp that defines `ConnectorRule connector_NAME()`, and
// its line in recipe/choices.h (docs/extending.md).
//
// Legend: I images, P patches, S squares of factor x factor patches, V vision's hidden size.

#include "model/dropout.h"
#include "tensor/param_map.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

namespace sightline {

struct ConnectorSizes {
  int64_t vision = 0, language = 0;  // hidden sizes
  int64_t factor = 1;
};

// What a connector computes with.
struct ConnectorParts {
  const ParamMap& params;  // its own are "connector.NAME"
  int64_t factor = 1;
  double norm_epsilon = 0;  // the vision model's
  Dropout dropout;          // of a hidden layer, where it has one

  const at::Tensor& param(const std::string& name) const { return params.at("connector." + name); }
  // By the parameters "<name>.weight" and "<name>.bias".
  at::Tensor linear(const std::string& name, const at::Tensor& x) const;
};

struct ConnectorRule {
  // Features [I, P, V] -> rows [I, R, D] of the language model.
  at::Tensor (*forward)(const ConnectorParts& parts, const at::Tensor& features_IPV);
  // Names (behind "connector.") and shapes, in order.
  NamedShapes (*parameters)(const ConnectorSizes& sizes);
};

// [I, P, V] -> [I, S, factor^2, V]: the patches of each square, row by row. P must be a square grid
// that the factor divides (asserted).
at::Tensor squares_of(const at::Tensor& features_IPV, int64_t factor);

// LLaVA's projector: linear_1, exact GELU, linear_2; and its parameters for `inputs` numbers a row.
at::Tensor two_layers(const ConnectorParts& parts, const at::Tensor& x);
NamedShapes two_layers_of(int64_t inputs, int64_t language);

}  // namespace sightline
