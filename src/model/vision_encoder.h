#pragma once
// A Vision Transformer as transformers' ViTModel computes it (modeling_vit.py): patch embedding,
// class token, learned positions, pre-norm layers, exact GELU, a last LayerNorm.
//
// Legend: I images, N tokens an image (class token first, then P patches row by row), D hidden
// size.

#include "model/dropout.h"
#include "recipe/model_config.h"
#include "tensor/param_map.h"

#include <ATen/core/Tensor.h>

namespace sightline {

class VisionEncoder {
 public:
  // Reads the parameters "vision.*" of `params`, which must outlive this and may be trained.
  VisionEncoder(const VisionConfig& config, const ParamMap& params);

  // The model cut in two at `depth`: what lies below layer `depth`, and from there on. depth 0 cuts
  // behind the embeddings; num_layers before the last norm; num_layers + 1 behind it. A frozen
  // lower part is computed once and stored, at the cut `lowest_vision_layer()` gives.
  // Dropout is of what attention and MLP add in each layer.
  at::Tensor below(const at::Tensor& pixels_ICHW, int64_t depth, Dropout dropout = {}) const;
  at::Tensor above(const at::Tensor& hidden_IND, int64_t depth, Dropout dropout = {}) const;

  // Patch features [I, P, D]: above(below(pixels, depth), depth) for any depth.
  at::Tensor forward(const at::Tensor& pixels_ICHW, Dropout dropout = {}) const;

  // Patch embeddings [I, P, D] without positions; and tokens [I, N, D] with the class token and
  // positions put to them. Between the two, reconstruction hides patches.
  at::Tensor patches(const at::Tensor& pixels_ICHW) const;
  at::Tensor with_positions(const at::Tensor& patches_IPD) const;

  // Shape of one image's hidden state at a cut: [N, D] or, behind the last norm, [P, D].
  std::vector<int64_t> shape_at(int64_t depth) const;
  const VisionConfig& config() const { return config_; }

 private:
  at::Tensor layer(const at::Tensor& x_IND, int64_t number, Dropout dropout) const;
  at::Tensor finish(const at::Tensor& x_IND) const;
  const at::Tensor& param(const std::string& name) const { return params_.at("vision." + name); }

  VisionConfig config_;
  const ParamMap& params_;
};

// Names and shapes of the parameters that a VisionEncoder reads, in order.
std::vector<std::pair<std::string, std::vector<int64_t>>> vision_parameters(
    const VisionConfig& config);

}  // namespace sightline
