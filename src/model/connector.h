#pragma once
// The connector: patch features -> rows of the language model. `mlp` is transformers' LLaVA
// projector (modeling_llava.py: linear_1, exact GELU, linear_2); `shuffle` lays factor x factor
// neighbouring patches side by side first (channel order: row in block, column in block, channel,
// as Idefics3's pixel shuffle), so that an image takes factor^2 times fewer rows.
//
// Legend: I images, P patches, R rows an image takes, V vision's hidden size, D language's.

#include "model/dropout.h"
#include "recipe/model_config.h"
#include "tensor/param_map.h"

#include <ATen/core/Tensor.h>

namespace sightline {

class Connector {
 public:
  // Reads "connector.*" of `params`, which must outlive this.
  Connector(const ConnectorConfig& config, const ParamMap& params);

  // [I, P, V] -> [I, R, D]. P must be a square grid that the factor divides (asserted). An MLP's
  // hidden layer is dropped out.
  at::Tensor forward(const at::Tensor& features_IPV, Dropout dropout = {}) const;

 private:
  ConnectorConfig config_;
  const ParamMap& params_;
};

std::vector<std::pair<std::string, std::vector<int64_t>>> connector_parameters(
    const ConnectorConfig& config, int64_t vision_size, int64_t language_size);

}  // namespace sightline
