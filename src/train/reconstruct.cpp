#include "train/reconstruct.h"

#include "base/error.h"
#include "base/rng.h"

#include <algorithm>
#include <cmath>

#include <ATen/TensorOperators.h>
#include <ATen/ops/linear.h>
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

// [I, 3, H, W] -> [I, P, C], channel by channel within a patch.
at::Tensor patch_pixels(const at::Tensor& pixels_ICHW, int64_t patch) {
  const int64_t side = pixels_ICHW.size(2) / patch;
  return pixels_ICHW.reshape({-1, 3, side, patch, side, patch})
      .permute({0, 2, 4, 1, 3, 5})
      .reshape({-1, side * side, 3 * patch * patch});
}

}  // namespace

void add_reconstruct_parameters(Model& model, uint64_t seed) {
  const VisionConfig& config = model.vision().config();
  const int64_t numbers = 3 * config.patch_size * config.patch_size;
  const auto add = [&](const char* name, std::vector<int64_t> shape) {
    model.params().add(name, random_parameter(name, shape, seed).to(model.dtype()));
  };
  add("reconstruct.mask_token", {1, 1, config.hidden_size});
  add("reconstruct.head.weight", {numbers, config.hidden_size});
  add("reconstruct.head.bias", {numbers});
}

at::Tensor reconstruct_loss(const Model& model, const at::Tensor& pixels_ICHW,
                            const ReconstructOptions& options) {
  const VisionEncoder& vision = model.vision();
  const int64_t images = pixels_ICHW.size(0);
  const at::Tensor hidden_IP = hidden_patches(images, vision.config().num_patches(), options);
  const at::Tensor patches_IPD = vision.patches(pixels_ICHW);
  const at::Tensor shown_IPD =
      at::where(hidden_IP.unsqueeze(2), model.params().at("reconstruct.mask_token"), patches_IPD);
  const at::Tensor features_IPD = vision.above(vision.with_positions(shown_IPD), 0);
  const at::Tensor predicted_IPC =
      at::linear(features_IPD, model.params().at("reconstruct.head.weight"),
                 model.params().at("reconstruct.head.bias"))
          .to(at::kFloat);
  const at::Tensor target_IPC =
      patch_pixels(pixels_ICHW, vision.config().patch_size).to(at::kFloat);
  return (predicted_IPC - target_IPC).abs().mean(at::IntArrayRef{1, 2}).sum() / options.divisor;
}

}  // namespace sightline
