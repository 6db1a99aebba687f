// Models whose rows and weights are rounded to int8, against the same models as they are.

#include "generate/rounded_matrices.h"

#include "generate/generator.h"
#include "tests/generate/toy_model.h"

#include <string>
#include <vector>

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

namespace sightline::test {
namespace {

bool skips() { return !rounds_rows(at::kCPU, at::kFloat); }
constexpr const char* kWhy = "this machine multiplies no rounded rows faster";

// Vision models and decoders of sizes that fill no group, with biases where they may have some.
Model model_of(VisionKind vision, LanguageKind language, at::ScalarType dtype) {
  ModelConfig config = toy_config(300);
  config.vision->kind = vision;
  config.vision->hidden_size = 96;
  config.vision->num_hidden_layers = 2;
  config.vision->intermediate_size = 200;
  config.language->kind = language;
  config.language->hidden_size = 80;
  config.language->num_attention_heads = 4;
  config.language->num_key_value_heads = 2;
  config.language->head_dim = 20;
  config.language->intermediate_size = 150;
  ParamMap params;
  for (const auto& [name, shape] : parameter_shapes(config)) {
    at::Tensor value = random_parameter(name, shape, 1);
    if (shape.size() > 1) value.mul_(5.0);
    if (name.ends_with(".bias")) value = at::randn(shape);
    params.add(name, value.to(dtype));
  }
  return Model(config, std::move(params));
}

// Each product is off by about a hundredth; two layers of them, and what stands between.
void expect_near(const at::Tensor& found, const at::Tensor& expected) {
  ASSERT_EQ(found.sizes(), expected.sizes());
  EXPECT_EQ(found.scalar_type(), expected.scalar_type());
  const at::Tensor apart = found.to(at::kDouble) - expected.to(at::kDouble);
  EXPECT_LE(apart.norm().item<double>(), 0.04 * expected.to(at::kDouble).norm().item<double>());
  EXPECT_GT(apart.norm().item<double>(), 0) << "nothing was rounded";
}

TEST(RoundedMatrices, OfAVisionModelGiveNearlyItsFeatures) {
  if (skips()) GTEST_SKIP() << kWhy;
  const at::NoGradGuard no_grad;
  for (const auto kind : {VisionKind::vit, VisionKind::siglip}) {
    for (const auto dtype : {at::kFloat, at::kBFloat16}) {
      const Model model = model_of(kind, LanguageKind::llama, dtype);
      const RoundedVisionMatrices rounded(model.vision().matrices());
      const at::Tensor pixels = at::randn({3, 3, 8, 8}).to(dtype);
      expect_near(model.vision().forward(rounded, pixels), model.vision().forward(pixels));
    }
  }
}

TEST(RoundedMatrices, OfADecoderGiveNearlyItsRowsAndLogits) {
  if (skips()) GTEST_SKIP() << kWhy;
  const at::NoGradGuard no_grad;
  for (const auto kind : {LanguageKind::llama, LanguageKind::qwen2}) {
    const Model model = model_of(VisionKind::vit, kind, at::kFloat);
    const StepWeights weights(model, DecodingWeights::int8_products);
    const Decoder& decoder = model.language();
    const RoundedMatrices rounded(weights, decoder.matrices());
    const at::Tensor x = at::randn({30, 80}), positions = at::arange(30);
    // Each row attends to itself alone: what is compared are the products.
    const Attend attend = [](int64_t, const at::Tensor&, const at::Tensor&, const at::Tensor& v) {
      return v.repeat_interleave(2, 1);
    };
    const at::Tensor rows = decoder.forward(x, positions, attend);
    expect_near(decoder.forward(rounded, x, positions, attend), rows);
    expect_near(rounded.logits(rows), decoder.matrices().logits(rows));
    const at::Tensor few = rows.narrow(0, 0, 3);
    EXPECT_TRUE(rounded.logits(few).equal(decoder.matrices().logits(few)));
  }
}

// Log-probabilities of the token behind each prompt, then of a fixed answer's, by the weights.
std::vector<at::Tensor> steps_of(const Model& model, std::span<const Prompt> prompts,
                                 DecodingWeights weights) {
  const Generator generator(model, MaskPolicy::image, {});
  CachedDecoding decoding = generator.start(prompts, {.weights = weights});
  std::vector<at::Tensor> steps = {decoding.log_probabilities()};
  std::vector<int64_t> same(prompts.size());
  for (size_t i = 0; i < same.size(); ++i) same[i] = static_cast<int64_t>(i);
  for (int32_t token = 3; token < 6; ++token) {
    decoding.advance(same, std::vector<int32_t>(same.size(), token));
    steps.push_back(decoding.log_probabilities());
  }
  return steps;
}

// Few sequences, whose tokens go by the row kernels, and many, whose rows are rounded too.
TEST(RoundedMatrices, AnswerNearlyAsTheModel) {
  const at::NoGradGuard no_grad;
  const Model model = model_of(VisionKind::siglip, LanguageKind::llama, at::kFloat);
  for (const size_t count : {6, 24}) {
    std::vector<Prompt> prompts;
    for (uint64_t seed = 1; prompts.size() < count; ++seed) {
      for (Prompt& prompt : toy_prompts(model, seed)) prompts.push_back(std::move(prompt));
    }
    const auto whole = steps_of(model, prompts, DecodingWeights::whole);
    const auto found = steps_of(model, prompts, DecodingWeights::int8_products);
    for (size_t i = 0; i < whole.size(); ++i) {
      const at::Tensor apart = found[i] - whole[i];
      EXPECT_LE(apart.abs().mean().item<double>(), 0.05 * whole[i].std().item<double>())
          << count << " prompts, step " << i;
      if (!skips()) {
        EXPECT_GT(apart.abs().max().item<double>(), 0);
      }
    }
  }
}

TEST(RoundedMatrices, AreNotUsedWhereRowsAreNotRounded) {
  const at::NoGradGuard no_grad;
  const Model model = toy_model(40, at::kHalf);
  EXPECT_FALSE(rounds_rows(model.device(), model.dtype()));
  const DecodingModel by(model, DecodingWeights::int8_products);
  EXPECT_EQ(&by.prompt_matrices(), &model.language().matrices());
}

}  // namespace
}  // namespace sightline::test
