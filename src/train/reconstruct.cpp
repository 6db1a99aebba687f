#include "train/reconstruct.h"

#include "base/error.h"
#include "base/rng.h"
#include "tensor/device.h"
#include "tensor/linear.h"
#include "train/oriented_gradients.h"

#include <algorithm>
#include <cmath>

#include <ATen/TensorOperators.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

namespace sightline {

namespace {

// [I, P] of 0 and 1: exactly round(ratio * P) hidden patches an image.
at::Tensor hidden_patches(int64_t images, int64_t patches, const ReconstructOptions& options) {
  at::Tensor hidden = at::zeros({images, patches}, at::kBool);
  const auto count =
      static_cast<size_t>(std::lround(options.mask_ratio * static_cast<double>(patches)));
  for (int64_t image = 0; image < images; ++image) {
    const auto order =
        permutation(static_cast<size_t>(patches),
                    derive_seed(options.seed, "hidden", static_cast<uint64_t>(image)));
    bool* row = hidden.data_ptr<bool>() + image * patches;
    for (size_t i = 0; i < count; ++i) row[order[i]] = true;
  }
  return hidden;
}

int64_t num_pixels(int64_t patch_size) { return 3 * patch_size * patch_size; }

at::Tensor absolute_error(const at::Tensor& predicted_IPC, const at::Tensor& target_IPC) {
  return (predicted_IPC - target_IPC).abs().mean(at::IntArrayRef{1, 2}).sum();
}

}  // namespace

void add_reconstruct_parameters(Model& model, uint64_t seed) {
  const VisionConfig& config = model.vision().config();
  const int64_t numbers = num_pixels(config.patch_size) + num_oriented_gradients(config.patch_size);
  const auto add = [&](const char* name, std::vector<int64_t> shape) {
    const at::Tensor random = random_parameter(name, shape, seed).to(model.dtype());
    model.params().add(name, on_device(random, model.device()));
  };
  add("reconstruct.mask_token", {1, 1, config.hidden_size});
  add("reconstruct.head.weight", {numbers, config.hidden_size});
  add("reconstruct.head.bias", {numbers});
}

at::Tensor reconstruct_loss(const Model& model, const at::Tensor& pictures,
                            const ReconstructOptions& options) {
  const VisionEncoder& vision = model.vision();
  const at::Tensor pixels_ICHW = on_device(pictures, model.device());
  const int64_t images = pixels_ICHW.size(0);
  const at::Tensor hidden_IP =
      on_device(hidden_patches(images, vision.config().num_patches(), options), model.device());
  const at::Tensor patches_IPD = vision.patches(pixels_ICHW);
  const at::Tensor shown_IPD =
      at::where(hidden_IP.unsqueeze(2), model.params().at("reconstruct.mask_token"), patches_IPD);
  const at::Tensor features_IPD =
      vision.above(vision.with_positions(shown_IPD), 0, options.dropout, options.activations);
  const at::Tensor predicted_IPC =
      linear_layer(features_IPD, model.params().at("reconstruct.head.weight"),
                   model.params().at("reconstruct.head.bias"))
          .to(at::kFloat);
  const int64_t patch_size = vision.config().patch_size, pixels = num_pixels(patch_size);
  const at::Tensor target_IPC = patch_numbers(pixels_ICHW, patch_size).to(at::kFloat);
  at::Tensor error = absolute_error(predicted_IPC.narrow(2, 0, pixels), target_IPC);
  if (options.edge_weight > 0) {
    const at::Tensor edges_IPC = oriented_gradients(pixels_ICHW, patch_size);
    error =
        error + options.edge_weight *
                    absolute_error(predicted_IPC.narrow(2, pixels, edges_IPC.size(2)), edges_IPC);
  }
  return error / options.divisor;
}

}  // namespace sightline
