#pragma once
// The connector: patch features -> rows of the language model.
//
//   mlp      transformers' LLaVA projector (modeling_llava.py): linear_1, exact GELU, linear_2
//   shuffle  factor x factor neighbouring patches side by side (channel order: row in block, column
//            in block, channel, as Idefics3's pixel shuffle), then the same
//   linear   PaliGemma's projector (modeling_paligemma.py): one linear layer
//   pool     Gemma 3's (modeling_gemma3.py): the mean of factor x factor patches, an RMSNorm whose
//            weight is an offset from 1, a matrix [V, D]
//
// With shuffle and pool an image takes factor^2 times fewer rows. Each is a file connector_NAME.cpp
// and a line of recipe/choices.h.
//
// Legend: I images, P patches, R rows an image takes, V vision's hidden size, D language's.

#include "model/connector_rule.h"
#include "recipe/model_config.h"

namespace sightline {

class Connector {
 public:
  // Reads "connector.*" of `params`, which must outlive this. `norm_epsilon` is the vision model's.
  Connector(const ConnectorConfig& config, double norm_epsilon, const ParamMap& params);

  // [I, P, V] -> [I, R, D]. P must be a square grid that the factor divides (asserted). An MLP's
  // hidden layer is dropped out.
  at::Tensor forward(const at::Tensor& features_IPV, Dropout dropout = {}) const;

 private:
  ConnectorRule rule_;
  ConnectorParts parts_;
};

NamedShapes connector_parameters(const ConnectorConfig& config, int64_t vision_size,
                                 int64_t language_size);

}  // namespace sightline
