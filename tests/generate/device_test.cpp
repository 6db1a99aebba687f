// Decoding on a device that is not the CPU gives the CPU's answers.

#include "generate/attention_record.h"
#include "generate/cached_attention.h"
#include "tests/generate/toy_model.h"
#include "tests/other_device.h"

#include <gtest/gtest.h>

namespace sightline::test {
namespace {

constexpr int64_t kVocab = 40;

std::vector<std::vector<Generated>> answers_on(at::Device device, const DecodingRecipe& decoding) {
  Model model = toy_model(kVocab);
  const std::vector<Prompt> prompts = toy_prompts(model, 5);
  model.move_to(device);
  const std::vector<int32_t> ends = {2};
  return Generator(model, MaskPolicy::image, ends).answers(prompts, decoding);
}

void expect_same_answers(at::Device device, const DecodingRecipe& decoding) {
  const auto expected = answers_on(at::kCPU, decoding), found = answers_on(device, decoding);
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    ASSERT_EQ(found[i].size(), expected[i].size());
    for (size_t k = 0; k < found[i].size(); ++k) {
      EXPECT_EQ(found[i][k].tokens, expected[i][k].tokens) << "prompt " << i << ", answer " << k;
      EXPECT_NEAR(found[i][k].log_probability, expected[i][k].log_probability, 1e-4);
    }
  }
}

TEST_P(OnDevice, AnswersGreedily) { expect_same_answers(device(), {.max_new_tokens = 8}); }

TEST_P(OnDevice, AnswersByBeams) {
  expect_same_answers(device(), {.beams = 4, .max_new_tokens = 8, .answers = 3});
}

TEST_P(OnDevice, DrawsTheSameWords) {
  expect_same_answers(device(), {.max_new_tokens = 8, .temperature = 1.0, .top_p = 0.9, .seed = 3});
}

TEST_P(OnDevice, AnswersByRoundedWeights) {
  expect_same_answers(device(), {.max_new_tokens = 8, .weights = DecodingWeights::int8});
}

TEST_P(OnDevice, ShowsTheSameAttention) {
  Model model = toy_model(kVocab);
  Rng rng(7);
  const Prompt prompt = toy_prompt(model, rng, 3, 1);
  const std::vector<int32_t> answer = {5, 6, 7};
  const AttentionRecord expected = record_attention(model, MaskPolicy::image, prompt, answer);
  model.move_to(device());
  const AttentionRecord found = record_attention(model, MaskPolicy::image, prompt, answer);
  ASSERT_EQ(found.on_rows_LAR.size(), expected.on_rows_LAR.size());
  for (size_t i = 0; i < found.on_rows_LAR.size(); ++i) {
    EXPECT_NEAR(found.on_rows_LAR[i], expected.on_rows_LAR[i], 1e-5);
  }
  EXPECT_LT(found.difference, 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Other, OnDevice, testing::Values(kOther));
INSTANTIATE_TEST_SUITE_P(Gpu, OnDevice, testing::Values(at::kCUDA));

// Sequences of different lengths whose rows lie apart.
TEST(PaddedCachedAttention, EqualsItsPlainDefinition) {
  for (const auto dtype : {at::kFloat, at::kDouble, at::kBFloat16}) {
    const LanguageConfig config = *toy_config(kVocab).language;
    KvCache cache(config, dtype, 32);
    at::manual_seed(3);
    const std::vector<int64_t> lengths = {5, 2, 7};
    const int64_t first = cache.add_sequences(lengths);
    const auto random = [&](int64_t rows, int64_t heads) {
      return at::randn({rows, heads, config.head_dim}).to(dtype);
    };
    const int64_t groups = config.num_key_value_heads;
    cache.write(1, first, random(14, groups), random(14, groups));
    const std::vector<int64_t> parents = {2, 0, 2, 1};
    cache.reorder(parents);
    const int64_t next = cache.grow();
    cache.write(1, next, random(4, groups), random(4, groups));
    const at::Tensor q = random(4, config.num_attention_heads);
    const at::Tensor found =
        padded_cached_attention(cache, cached_rows(cache, at::kCPU), 1, q, 0.5);
    const double tolerance = dtype == at::kBFloat16 ? 1e-2 : 1e-5;
    EXPECT_TRUE(
        at::allclose(found, plain_cached_attention(cache, 1, q, 0.5), tolerance, tolerance));
  }
}

}  // namespace
}  // namespace sightline::test
