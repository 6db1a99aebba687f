#pragma once
// A Vision Transformer: patch embedding, learned positions, pre-norm layers, a last LayerNorm. Of
// kind `vit` as transformers' ViTModel computes it (modeling_vit.py): a class token, exact GELU; of
// kind `siglip` as SiglipVisionModel (modeling_siglip.py, without its pooling head): no class
// token, GELU by tanh.
//
// Legend: I images, N tokens an image (a class token first where there is one, then P patches row
// by row), D hidden size.

#include "model/dropout.h"
#include "model/vision_matrices.h"
#include "recipe/model_config.h"
#include "tensor/param_map.h"
#include "tensor/recompute.h"

#include <ATen/core/Tensor.h>

namespace sightline {

class VisionEncoder {
 public:
  // Reads the parameters "vision.*" of `params`, which must outlive this and may be trained.
  VisionEncoder(const VisionConfig& config, const ParamMap& params);

  // The model cut in two at `depth`: what lies below layer `depth`, and from there on. depth 0 cuts
  // behind the embeddings; num_layers before the last norm; num_layers + 1 behind it. A frozen
  // lower part is computed once and stored, at the cut `lowest_vision_layer()` gives.
  at::Tensor below(const at::Tensor& pixels_ICHW, int64_t depth, Dropout dropout = {},
                   Activations activations = Activations::kept) const;
  at::Tensor above(const at::Tensor& hidden_IND, int64_t depth, Dropout dropout = {},
                   Activations activations = Activations::kept) const;

  // Patch features [I, P, D]: above(below(pixels, depth), depth) for any depth.
  at::Tensor forward(const at::Tensor& pixels_ICHW, Dropout dropout = {},
                     Activations activations = Activations::kept) const;
  // The same without dropout, by the same weights in another form.
  at::Tensor forward(const VisionMatrices& matrices, const at::Tensor& pixels_ICHW) const;
  const PlainVisionMatrices& matrices() const { return matrices_; }

  // Patch embeddings [I, P, D] without positions; and tokens [I, N, D] with the class token and
  // positions put to them. Between the two, reconstruction hides patches.
  at::Tensor patches(const at::Tensor& pixels_ICHW) const;
  at::Tensor with_positions(const at::Tensor& patches_IPD) const;

  // Shape of one image's hidden state at a cut: [N, D] or, behind the last norm, [P, D].
  std::vector<int64_t> shape_at(int64_t depth) const;
  const VisionConfig& config() const { return config_; }

 private:
  at::Tensor layer(const VisionMatrices& matrices, const at::Tensor& x_IND, int64_t number,
                   Dropout dropout) const;
  // Layers [first, last).
  at::Tensor layers(at::Tensor x_IND, int64_t first, int64_t last, Dropout dropout,
                    Activations activations) const;
  at::Tensor finish(const at::Tensor& x_IND) const;
  const at::Tensor& param(const std::string& name) const { return params_.at("vision." + name); }

  VisionConfig config_;
  const ParamMap& params_;
  PlainVisionMatrices matrices_;
};

// [I, channels, H, W] -> [I, P, channels * patch_size^2], channel by channel within a patch; the
// pixels behind the last whole patch are left out, as SigLIP does.
at::Tensor patch_numbers(const at::Tensor& pixels_ICHW, int64_t patch_size);

// Names and shapes of the parameters that a VisionEncoder reads, in order.
NamedShapes vision_parameters(const VisionConfig& config);

}  // namespace sightline
