// The attention that is shown is the model's own.

#include "generate/attention_record.h"

#include "tests/generate/toy_model.h"

#include <gtest/gtest.h>

namespace sightline::test {
namespace {

constexpr int32_t kEnd = 2;

class RecordedAttention : public testing::TestWithParam<MaskPolicy> {};

TEST_P(RecordedAttention, IsOfThePassThatChoseTheTokens) {
  const Model model = toy_model(40);
  const std::vector<int32_t> ends = {kEnd};
  const Generator generator(model, GetParam(), ends);
  Rng rng(7);
  for (const int64_t images : {1, 2}) {
    const std::vector<Prompt> prompts = {toy_prompt(model, rng, 3, images)};
    const Generated generated =
        generator.generate(prompts, {.min_new_tokens = 4, .max_new_tokens = 6}).front();
    const AttentionRecord record =
        record_attention(model, GetParam(), prompts.front(), generated.tokens);
    EXPECT_EQ(record.layers, 2);
    EXPECT_EQ(record.tokens, static_cast<int64_t>(generated.tokens.size()));
    EXPECT_EQ(record.rows, images * model.config().rows_per_image());
    EXPECT_LT(record.difference, 1e-5) << "weights times values are what the layers got";
    for (size_t i = 0; i < generated.tokens.size(); ++i) {
      EXPECT_NEAR(record.log_probabilities_A[i], generated.token_log_probabilities[i], 1e-4);
    }
    for (int64_t layer = 0; layer < record.layers; ++layer) {
      for (int64_t token = 0; token < record.tokens; ++token) {
        double sum = 0;
        for (int64_t row = 0; row < record.rows; ++row) {
          EXPECT_GT(record.at(layer, token, row), 0);
          sum += record.at(layer, token, row);
        }
        EXPECT_LT(sum, 1) << "words are looked at too";
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Masks, RecordedAttention,
                         testing::Values(MaskPolicy::causal, MaskPolicy::image, MaskPolicy::prefix,
                                         MaskPolicy::question));

// Without a picture nothing lies on one.
TEST(RecordedAttentionOfWords, HasNoRows) {
  const Model model = toy_model(40);
  Rng rng(8);
  const Prompt prompt = toy_prompt(model, rng, 4, 0);
  const std::vector<int32_t> answer = {5, 6};
  const AttentionRecord record = record_attention(model, MaskPolicy::image, prompt, answer);
  EXPECT_EQ(record.rows, 0);
  EXPECT_TRUE(record.on_rows_LAR.empty());
  EXPECT_LT(record.difference, 1e-5);
}

}  // namespace
}  // namespace sightline::test
