#include "train/oriented_gradients.h"

#include "model/vision_encoder.h"

#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

constexpr int64_t kPatch = 8;

// [1, 3, 8, 8]: 1 where cos(turn) x + sin(turn) y is positive, seen from the middle, in one colour.
at::Tensor half_plane(double turn, const at::Tensor& colour) {
  const at::Tensor at = at::arange(kPatch) - 3.5;
  const at::Tensor side = std::cos(turn) * at.unsqueeze(0) + std::sin(turn) * at.unsqueeze(1);
  return (side > 0).to(at::kFloat).unsqueeze(0) * colour.view({3, 1, 1}).unsqueeze(0);
}

at::Tensor by_orientation(const at::Tensor& numbers_IPC) {
  return numbers_IPC.view({kOrientations, -1}).sum(1);
}

TEST(OrientedGradients, CountAnEdgeByItsOrientation) {
  const at::Tensor grey = at::ones(3);
  for (const int64_t orientation : {0, 2, 4, 6}) {
    const double turn = static_cast<double>(orientation) * M_PI / kOrientations;
    const at::Tensor numbers_IPC = oriented_gradients(half_plane(turn, grey), kPatch);
    ASSERT_EQ(numbers_IPC.sizes(), (at::IntArrayRef{1, 1, num_oriented_gradients(kPatch)}));
    EXPECT_EQ(by_orientation(numbers_IPC).argmax().item<int64_t>(), orientation);
    // Seen from the other side it is the same edge.
    EXPECT_TRUE(at::allclose(numbers_IPC, oriented_gradients(1 - half_plane(turn, grey), kPatch)));
  }
}

// As SigLIP's patches do: 19 pixels hold two patches of 8.
TEST(OrientedGradients, LeaveOutThePixelsBehindTheLastPatch) {
  const at::Tensor pixels = at::sin(at::arange(2 * 3 * 19 * 19, at::kFloat)).view({2, 3, 19, 19});
  const at::Tensor numbers_IPC = oriented_gradients(pixels, kPatch);
  EXPECT_EQ(numbers_IPC.sizes(), (at::IntArrayRef{2, 4, num_oriented_gradients(kPatch)}));
  const at::Tensor patches_IPC = patch_numbers(pixels, kPatch);
  ASSERT_EQ(patches_IPC.sizes(), (at::IntArrayRef{2, 4, 3 * kPatch * kPatch}));
  const at::Tensor whole = pixels.slice(2, 0, 16).slice(3, 0, 16);
  EXPECT_TRUE(at::equal(patches_IPC, patch_numbers(whole, kPatch)));
}

TEST(OrientedGradients, AreTheSameInAnyColour) {
  const at::Tensor red = at::tensor({1.0f, 0.0f, 0.0f}), olive = at::tensor({0.6f, 0.9f, 0.1f});
  const at::Tensor a = oriented_gradients(half_plane(1.0, red), kPatch);
  const at::Tensor b = oriented_gradients(half_plane(1.0, olive), kPatch);
  EXPECT_LT((a - b).abs().max().item<double>(), 0.01);
  EXPECT_GT(a.norm().item<double>(), 0.9);
}

TEST(OrientedGradients, OfAFlatPatchAreNothing) {
  const at::Tensor flat = at::full({2, 3, 16, 8}, 0.7);
  const at::Tensor numbers_IPC = oriented_gradients(flat, kPatch);
  EXPECT_EQ(numbers_IPC.size(1), 2);
  EXPECT_EQ(numbers_IPC.abs().max().item<double>(), 0.0);
}

TEST(OrientedGradients, OfAPatchAreInItsOwnRow) {
  at::Tensor image = at::zeros({1, 3, 16, 16});
  image.narrow(2, 8, 8).narrow(3, 8, 8).copy_(half_plane(0, at::ones(3)));
  const at::Tensor numbers_IPC = oriented_gradients(image, kPatch);
  EXPECT_GT(numbers_IPC[0][3].norm().item<double>(), 0.9);
  EXPECT_EQ(numbers_IPC[0][0].norm().item<double>(), 0.0);
}

}  // namespace
}  // namespace sightline
