#include "train/oriented_gradients.h"

#include "model/vision_encoder.h"

#include <numbers>
#include <vector>

#include <ATen/TensorOperators.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/atan2.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/hypot.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/pad.h>
#include <ATen/ops/remainder.h>
#include <ATen/ops/stack.h>

namespace sightline {
namespace {

// In pixels' units, of which black and white are about 2 apart: fainter edges count for less.
constexpr double kFaint = 0.05;

int64_t cells_across(int64_t patch_size) { return patch_size % 2 == 0 ? 2 : 1; }

}  // namespace

int64_t num_oriented_gradients(int64_t patch_size) {
  return kOrientations * cells_across(patch_size) * cells_across(patch_size);
}

at::Tensor oriented_gradients(const at::Tensor& pixels_ICHW, int64_t patch_size) {
  const int64_t height = pixels_ICHW.size(2), width = pixels_ICHW.size(3);
  const at::Tensor padded = at::pad(pixels_ICHW.to(at::kFloat), {1, 1, 1, 1}, "replicate");
  const at::Tensor rows = padded.narrow(2, 1, height), columns = padded.narrow(3, 1, width);
  const at::Tensor across = rows.narrow(3, 2, width) - rows.narrow(3, 0, width);
  const at::Tensor down = columns.narrow(2, 2, height) - columns.narrow(2, 0, height);
  const at::Tensor channel = at::hypot(across, down).argmax(1, /*keepdim=*/true);
  const at::Tensor x = across.gather(1, channel).squeeze(1);
  const at::Tensor y = down.gather(1, channel).squeeze(1);
  const at::Tensor size = at::hypot(x, y);
  // An orientation a unit; a direction and its opposite are kOrientations apart.
  const at::Tensor angle = at::atan2(y, x) * (kOrientations / std::numbers::pi);
  std::vector<at::Tensor> sizes;
  for (int64_t orientation = 0; orientation < kOrientations; ++orientation) {
    constexpr double kHalf = kOrientations / 2.0;
    const at::Tensor away =
        (at::remainder(angle - (static_cast<double>(orientation) - kHalf), kOrientations) - kHalf)
            .abs();
    sizes.push_back(size * (1.0 - away).clamp_min(0));
  }
  const int64_t cells = cells_across(patch_size);
  // Cells beyond the last whole patch are dropped by patch_numbers().
  const at::Tensor counts = at::avg_pool2d(at::stack(sizes, 1), {patch_size / cells});
  const at::Tensor patches_IPC = patch_numbers(counts, cells);
  return patches_IPC / (at::linalg_vector_norm(patches_IPC, 2, {-1}, /*keepdim=*/true) + kFaint);
}

}  // namespace sightline
