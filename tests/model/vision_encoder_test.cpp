// Both kinds of vision model, cut anywhere; what a picture's rows become.

#include "model/vision_encoder.h"

#include "batch/image_rows.h"
#include "model/connector.h"
#include "model/model.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

VisionConfig tiny(VisionKind kind, bool last_norm) {
  VisionConfig config{.kind = kind,
                      .hidden_size = 12,
                      .num_hidden_layers = 2,
                      .num_attention_heads = 2,
                      .intermediate_size = 16,
                      .image_size = 24,
                      .patch_size = 4};
  if (kind == VisionKind::siglip) config.image_size = 26;  // 6 patches a side and 2 pixels more
  config.last_norm = last_norm;
  return config;
}

ParamMap random_parameters(const NamedShapes& shapes) {
  ParamMap params;
  for (const auto& [name, shape] : shapes) params.add(name, random_parameter(name, shape, 3) * 8);
  return params;
}

TEST(VisionEncoder, IsTheSameWhereverItIsCut) {
  for (const VisionKind kind : {VisionKind::vit, VisionKind::siglip}) {
    for (const bool last_norm : {true, false}) {
      const VisionConfig config = tiny(kind, last_norm);
      const ParamMap params = random_parameters(vision_parameters(config));
      EXPECT_EQ(params.contains("vision.layernorm.weight") ||
                    params.contains("vision.post_layernorm.weight"),
                last_norm);
      const VisionEncoder vision(config, params);
      const at::Tensor pixels =
          random_parameter("pixels", {2, 3, config.image_size, config.image_size}, 5) * 50;
      const at::Tensor features = vision.forward(pixels);
      EXPECT_EQ(features.sizes(), at::IntArrayRef({2, 36, 12}));
      for (int64_t depth = 0; depth <= config.num_hidden_layers + 1; ++depth) {
        const at::Tensor hidden = vision.below(pixels, depth);
        EXPECT_EQ(hidden.sizes().slice(1), at::IntArrayRef(vision.shape_at(depth))) << depth;
        EXPECT_TRUE(at::equal(vision.above(hidden, depth), features)) << depth;
      }
    }
  }
}

TEST(VisionEncoder, SiglipLeavesOutThePixelsBehindTheLastPatch) {
  const VisionConfig config = tiny(VisionKind::siglip, true);
  const ParamMap params = random_parameters(vision_parameters(config));
  const VisionEncoder vision(config, params);
  const at::Tensor pixels = random_parameter("pixels", {1, 3, 26, 26}, 5) * 50;
  at::Tensor other = pixels.clone();
  other.narrow(2, 24, 2).fill_(9);
  EXPECT_TRUE(at::equal(vision.forward(other), vision.forward(pixels)));
  other.narrow(2, 23, 1).fill_(9);
  EXPECT_FALSE(at::equal(vision.forward(other), vision.forward(pixels)));
}

TEST(Connector, EveryKindGivesTheRowsThatAreCounted) {
  const VisionConfig vision = tiny(VisionKind::siglip, true);
  for (const ConnectorConfig config :
       {ConnectorConfig{ConnectorKind::mlp, 1}, ConnectorConfig{ConnectorKind::linear, 1},
        ConnectorConfig{ConnectorKind::shuffle, 3}, ConnectorConfig{ConnectorKind::pool, 2}}) {
    const ParamMap params = random_parameters(connector_parameters(config, 12, 10));
    const Connector connector(config, vision.layer_norm_eps, params);
    const at::Tensor features = random_parameter("features", {2, 36, 12}, 7) * 50;
    EXPECT_EQ(connector.forward(features).sizes(),
              at::IntArrayRef({2, rows_per_image(vision, config), 10}));
  }
}

// A fresh pool norm is 1 + 0, and its rows have the variance that its input had.
TEST(Connector, FreshPoolKeepsTheSizeOfFeatures) {
  const ConnectorConfig config{ConnectorKind::pool, 3};
  ParamMap params;
  for (const auto& [name, shape] : connector_parameters(config, 64, 96)) {
    params.add(name, random_parameter(name, shape, 3));
  }
  EXPECT_EQ(params.at("connector.mm_soft_emb_norm.weight").abs().sum().item<float>(), 0.0f);
  const Connector connector(config, 1e-6, params);
  const at::Tensor rows = connector.forward(random_parameter("features", {1, 36, 64}, 7) * 50);
  EXPECT_NEAR(rows.pow(2).mean().item<double>(), 1.0, 0.3);
}

TEST(PatchNumbers, AreThePatchsPixelsChannelByChannel) {
  const at::Tensor image = at::rand({2, 3, 8, 12});
  const at::Tensor patches_IPC = patch_numbers(image, 4);
  ASSERT_EQ(patches_IPC.sizes(), (at::IntArrayRef{2, 6, 48}));
  const at::Tensor second_row_third = image[1].narrow(1, 4, 4).narrow(2, 8, 4).reshape({48});
  EXPECT_TRUE(at::equal(patches_IPC[1][5], second_row_third));
}

// By whichever products this machine takes for fp32 and for bf16.
TEST(VisionEncoder, PatchesAreAConvolution) {
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    const VisionConfig config = tiny(VisionKind::siglip, true);
    ParamMap params;
    for (const auto& [name, shape] : vision_parameters(config)) {
      params.add(name, (random_parameter(name, shape, 3) * 8).to(type));
    }
    const at::Tensor pixels = at::randn({2, 3, config.image_size, config.image_size}).to(type);
    const auto exact = [&](const char* name) {
      return params.at(fmt::format("vision.embeddings.patch_embedding.{}", name)).to(at::kDouble);
    };
    const at::Tensor grid_IDhw =
        at::conv2d(pixels.to(at::kDouble), exact("weight"), exact("bias"), {4, 4});
    const double rounding = type == at::kFloat ? 1e-5 : 1e-2;
    EXPECT_TRUE(at::allclose(VisionEncoder(config, params).patches(pixels).to(at::kDouble),
                             grid_IDhw.flatten(2).transpose(1, 2), rounding, rounding));
  }
}

}  // namespace
}  // namespace sightline
