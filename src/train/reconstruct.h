#pragma once
// Learning to see without words: a share of an image's patches is hidden behind a mask token, and
// the vision model is to give back the pixels of all: the hidden ones from their neighbours, the
// shown ones so that features keep what their own patch holds. One linear layer on the last
// features and the absolute error, as in SimMIM (arXiv 2111.09886), which scores hidden patches
// alone. Besides, by a weight, the orientations of each patch's edges (oriented_gradients.h). The
// mask token and the linear layer ("reconstruct.*") serve training alone and are not part of a
// model folder.
//
// Legend: I images, P patches, D hidden size, C numbers of a patch: pixels, then orientations.

#include "model/model.h"

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace sightline {

// Adds "reconstruct.mask_token", "reconstruct.head.weight" and ".bias" to the model's parameters.
void add_reconstruct_parameters(Model& model, uint64_t seed);

struct ReconstructOptions {
  double mask_ratio = 0.6;   // share of hidden patches
  double edge_weight = 0.0;  // of the orientations' error, beside the pixels' 1
  uint64_t seed = 0;         // of this batch's choice of patches
  double divisor = 1.0;      // images of the whole optimizer step
  Dropout dropout;           // the vision model's
  Activations activations = Activations::kept;
};

// Sum over images of the mean absolute error of their patches' pixels, and of their orientations by
// their weight, over the divisor.
at::Tensor reconstruct_loss(const Model& model, const at::Tensor& pixels_ICHW,
                            const ReconstructOptions& options);

}  // namespace sightline
