// One region of threads against the decoder's own operations over the same rows.

#include "generate/step_decoder.h"

#include "generate/cached_attention.h"
#include "generate/cached_decoding.h"
#include "tests/tiny_model.h"

#include <numeric>
#include <tuple>

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

// Large enough that threads share the work, and of sizes that fill no group and no register.
LanguageConfig config_of(LanguageKind kind) {
  return {.kind = kind,
          .vocab_size = 2001,
          .hidden_size = 198,
          .num_hidden_layers = 3,
          .num_attention_heads = 9,
          .num_key_value_heads = 3,
          .head_dim = 22,
          .intermediate_size = 2002,
          .max_position_embeddings = 256,
          .tie_word_embeddings = kind == LanguageKind::llama};
}

Model model_of(LanguageKind kind, at::ScalarType dtype) {
  ModelConfig config;
  config.language = config_of(kind);
  ParamMap params;
  for (const auto& [name, shape] : parameter_shapes(config)) {
    at::Tensor value = random_parameter(name, shape, 3);
    if (name.ends_with("bias")) value = at::randn(shape);
    params.add(name, (shape.size() > 1 ? value * 4 : value).to(dtype));
  }
  return Model(config, std::move(params));
}

at::Tensor index_of(const std::vector<int64_t>& numbers) { return at::tensor(numbers, at::kLong); }

// The next logits by LibTorch's operations in fp32, with the parameters that the weights stand for.
at::Tensor plain_step(const Model& model, const ParamMap& params, std::span<const int32_t> tokens,
                      KvCache& cache) {
  const Decoder decoder(*model.config().language, params);
  std::vector<int64_t> positions;
  for (int64_t s = 0; s < cache.sequences(); ++s) positions.push_back(cache.length(s));
  const int64_t first = cache.grow();
  const std::vector<int64_t> ids(tokens.begin(), tokens.end());
  const at::Tensor embedded = model.language().embed(index_of(ids)).to(at::kFloat);
  return decoder.matrices().logits(decoder.forward(
      embedded, index_of(positions),
      [&](int64_t layer, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
        cache.write(layer, first, k, v);
        return plain_cached_attention(cache, layer, q, decoder.attention_scale());
      }));
}

using Case = std::tuple<LanguageKind, at::ScalarType, DecodingWeights>;
class StepDecoderTest : public testing::TestWithParam<Case> {};

TEST_P(StepDecoderTest, EqualsTheDecodersOperations) {
  const at::NoGradGuard no_grad;
  const auto [kind, dtype, rounding] = GetParam();
  const Model model = model_of(kind, dtype);
  const LanguageConfig& config = *model.config().language;
  const StepWeights weights(model, rounding);
  const StepDecoder decoder(config, weights);
  ParamMap precise;
  // In fp32, whatever the model's own numbers are: rounding to them is not what is compared.
  for (const auto& [name, tensor] : weights.parameters()) precise.add(name, tensor.to(at::kFloat));

  KvCache cache(config, dtype, 4), plain_cache(config, at::kFloat, 4);
  const std::vector<int64_t> lengths = {3, 1, 40, 7, 12};
  const int64_t rows = std::accumulate(lengths.begin(), lengths.end(), int64_t{0});
  for (KvCache* each : {&cache, &plain_cache}) each->add_sequences(lengths);
  for (int64_t layer = 0; layer < config.num_hidden_layers; ++layer) {
    const at::Tensor k = at::randn({rows, 3, 22}).to(dtype), v = at::randn({rows, 3, 22}).to(dtype);
    cache.write(layer, 0, k, v);
    plain_cache.write(layer, 0, k, v);
  }

  // A sequence that doubles, one that ends, then ever fewer; the last alone.
  const std::vector<std::vector<int64_t>> parents = {
      {0, 1, 2, 3, 4}, {4, 2, 2, 0, 1, 3, 3}, {6, 5, 1}, {0, 2}, {1}};
  int32_t token = 17;
  for (const auto& chosen : parents) {
    std::vector<int32_t> tokens;
    for (size_t i = 0; i < chosen.size(); ++i) tokens.push_back(token = (token * 31 + 7) % 2001);
    cache.reorder(chosen);
    plain_cache.reorder(chosen);
    const at::Tensor found = decoder.step(tokens, cache);
    const at::Tensor expected = plain_step(model, precise, tokens, plain_cache);
    ASSERT_EQ(found.sizes(), expected.sizes());
    const double apart = (found - expected).abs().max().item<double>();
    const double size = expected.abs().max().item<double>();
    // bf16: keys and values are kept in it; and what rounded weights stand for is rounded to it
    // where they become parameters.
    EXPECT_LE(apart, (dtype == at::kFloat ? 2e-6 : 0.02) * size) << chosen.size() << " sequences";
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, StepDecoderTest,
                         testing::Combine(testing::Values(LanguageKind::llama, LanguageKind::qwen2),
                                          testing::Values(at::kFloat, at::kBFloat16),
                                          testing::Values(DecodingWeights::whole,
                                                          DecodingWeights::int8,
                                                          DecodingWeights::int4)));

TEST(CachedAttention, EqualsItsDefinition) {
  const LanguageConfig config = config_of(LanguageKind::llama);
  for (const auto dtype : {at::kFloat, at::kBFloat16, at::kDouble}) {
    KvCache cache(config, dtype, 2);
    const std::vector<int64_t> lengths = {5, 70, 1}, parents = {1, 0, 1};
    const int64_t rows = 76;
    cache.add_sequences(lengths);
    cache.write(0, 0, at::randn({rows, 3, 22}), at::randn({rows, 3, 22}));
    cache.reorder(parents);
    cache.write(0, cache.grow(), at::randn({3, 3, 22}), at::randn({3, 3, 22}));
    const at::Tensor q = at::randn({3, 9, 22}).to(dtype);
    const at::Tensor found = cached_attention(cache, 0, q, 0.2);
    const at::Tensor expected = plain_cached_attention(cache, 0, q, 0.2);
    EXPECT_EQ(found.scalar_type(), dtype);
    EXPECT_LE((found - expected).abs().max().item<double>(), dtype == at::kBFloat16 ? 0.02 : 1e-6);
  }
}

// What one sequence writes is not seen by another that shares its past.
TEST(KvCache, SharesThePastAndNothingElse) {
  const LanguageConfig config = config_of(LanguageKind::llama);
  KvCache cache(config, at::kFloat, 1);
  const std::vector<int64_t> lengths = {2, 3}, parents = {1, 1, 0};
  EXPECT_EQ(cache.add_sequences(lengths), 0);
  cache.reorder(parents);
  EXPECT_EQ(cache.grow(), 5);
  EXPECT_EQ(cache.grow(), 8);
  const auto rows = [&](int64_t s) {
    return std::vector<int32_t>(cache.rows(s).begin(), cache.rows(s).end());
  };
  EXPECT_EQ(rows(0), (std::vector<int32_t>{2, 3, 4, 5, 8}));
  EXPECT_EQ(rows(1), (std::vector<int32_t>{2, 3, 4, 6, 9}));
  EXPECT_EQ(rows(2), (std::vector<int32_t>{0, 1, 7, 10}));
}

}  // namespace
}  // namespace sightline
