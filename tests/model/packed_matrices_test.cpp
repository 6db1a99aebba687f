// The packed layout against the plain products that it stands for.

#include "model/packed_matrices.h"

#include "tests/tiny_model.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/randn.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

LanguageConfig config_of(LanguageKind kind) {
  LanguageConfig config;
  config.kind = kind;
  config.vocab_size = 331;
  config.hidden_size = 72;
  config.num_hidden_layers = 2;
  config.num_attention_heads = 6;
  config.num_key_value_heads = 2;
  config.head_dim = 12;
  config.intermediate_size = 152;
  config.tie_word_embeddings = kind == LanguageKind::llama;
  return config;
}

ParamMap random_params(const LanguageConfig& config, at::ScalarType dtype) {
  ParamMap params;
  for (const auto& [name, shape] : language_parameters(config)) {
    params.add(name, random_parameter(name, shape, 5).to(dtype));
  }
  return params;
}

// As shares of the largest: bf16 rounds to 0.4 %.
void expect_near(const at::Tensor& found, const at::Tensor& expected, const char* what) {
  ASSERT_EQ(found.sizes(), expected.sizes()) << what;
  const at::Tensor precise = expected.to(at::kFloat);
  const double apart = (found.to(at::kFloat) - precise).abs().max().item<double>();
  EXPECT_LE(apart, 0.008 * precise.abs().max().item<double>()) << what;
}

class Packed : public testing::TestWithParam<LanguageKind> {};

TEST_P(Packed, GivesWhatThePlainMatricesGive) {
  const LanguageConfig config = config_of(GetParam());
  const ParamMap params = random_params(config, at::kBFloat16);
  const PlainMatrices plain(config, params);
  const auto packed = PackedMatrices::where_it_pays(config, plain);
  if (packed == nullptr) GTEST_SKIP() << "packed matrices do not pay on this CPU";
  const c10::NoGradGuard no_grad;
  for (const int64_t rows : {1, 3, 17, 128, 129, 200}) {
    const at::Tensor x_TD = at::randn({rows, 72}, at::kFloat).to(at::kBFloat16);
    const at::Tensor inner_TM = at::randn({rows, 152}, at::kFloat).to(at::kBFloat16);
    for (int64_t layer = 0; layer < 2; ++layer) {
      const auto found = packed->attention_inputs(layer, x_TD);
      const auto expected = plain.attention_inputs(layer, x_TD);
      expect_near(found.q_TQ, expected.q_TQ, "queries");
      expect_near(found.k_TK, expected.k_TK, "keys");
      expect_near(found.v_TK, expected.v_TK, "values");
      expect_near(packed->attention_output(layer, x_TD), plain.attention_output(layer, x_TD),
                  "attention's output");
      expect_near(packed->inner(layer, x_TD).gate_TM, plain.inner(layer, x_TD).gate_TM, "gate");
      expect_near(packed->inner(layer, x_TD).up_TM, plain.inner(layer, x_TD).up_TM, "up");
      expect_near(packed->down(layer, inner_TM), plain.down(layer, inner_TM), "down");
    }
    expect_near(packed->logits(x_TD), plain.logits(x_TD), "logits");
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, Packed, testing::Values(LanguageKind::llama, LanguageKind::qwen2));

TEST(PackedMatrices, AreForSixteenBitsAlone) {
  const LanguageConfig config = config_of(LanguageKind::llama);
  const ParamMap params = random_params(config, at::kFloat);
  EXPECT_EQ(PackedMatrices::where_it_pays(config, PlainMatrices(config, params)), nullptr);
}

}  // namespace
}  // namespace sightline
