// Decoding on a device that is not the CPU gives the CPU's answers.

#include "generate/attention_record.h"
#include "generate/cached_attention.h"
#include "generate/device_steps.h"
#include "model/device_kernels.h"
#include "tests/generate/toy_model.h"
#include "tests/other_device.h"
#include "tests/other_kernels.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
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

// As on a GPU where the plugin is: steps are recorded, and done again as they were recorded.
class RecordedSteps : public testing::Test {
 protected:
  void SetUp() override { set_device_kernels(kOther, &kOtherKernels); }
  void TearDown() override { set_device_kernels(kOther, nullptr); }
};

TEST_F(RecordedSteps, AnswerAsTheCpuDoes) {
  expect_same_answers(kOther, {.max_new_tokens = 8});
  expect_same_answers(kOther, {.beams = 4, .max_new_tokens = 8, .answers = 3});
  expect_same_answers(
      kOther, {.max_new_tokens = 8, .temperature = 1.0, .top_p = 0.9, .answers = 2, .seed = 3});
  expect_same_answers(kOther, {.max_new_tokens = 8, .weights = DecodingWeights::int4});
}

// Batch after batch over the same memory, larger ones and smaller ones.
TEST_F(RecordedSteps, AreKeptFromBatchToBatch) {
  Model model = toy_model(kVocab);
  const std::vector<Prompt> prompts = toy_prompts(model, 5);
  const std::vector<int32_t> ends = {2};
  const Generator on_cpu(model, MaskPolicy::image, ends);
  const DecodingRecipe decoding{.max_new_tokens = 6};
  std::vector<std::vector<Generated>> expected;
  for (const size_t size : {1, 5, 1, 3, 2}) {
    expected.push_back(on_cpu.generate(std::span(prompts).first(size), decoding));
  }
  Model moved = toy_model(kVocab);
  moved.move_to(kOther);
  const Generator generator(moved, MaskPolicy::image, ends);
  size_t i = 0;
  for (const size_t size : {1, 5, 1, 3, 2}) {
    const auto found = generator.generate(std::span(prompts).first(size), decoding);
    for (size_t k = 0; k < size; ++k) EXPECT_EQ(found[k].tokens, expected[i][k].tokens) << size;
    ++i;
  }
}

// Two sequences and a third that only fills up, through more rows than a first shape has.
TEST_F(RecordedSteps, EqualFullForwardPassesBeyondAShapesRows) {
  ModelConfig config = toy_config(kVocab);
  config.language->max_position_embeddings = 1024;
  ParamMap params;
  for (const auto& [name, shape] : parameter_shapes(config)) {
    at::Tensor value = random_parameter(name, shape, 1);
    if (shape.size() > 1) value.mul_(name.starts_with("language.") ? 15.0 : 3.0);
    params.add(name, value.to(kOther));
  }
  const Model model(config, std::move(params));
  const Decoder& language = model.language();
  const auto steps = DeviceSteps::where_it_can(language, language.matrices());
  ASSERT_NE(steps, nullptr);
  KvCache cache = steps->cache(4);  // too few: it moves as it grows
  std::vector<std::vector<int32_t>> words(3);
  const std::vector<int64_t> none = {0, 0, 0};
  cache.add_sequences(none);
  Rng rng(5);
  at::Tensor found;
  constexpr int kTokens = 300;
  for (int i = 0; i < kTokens; ++i) {
    std::vector<int32_t> tokens;
    for (auto& own : words)
      tokens.push_back(own.emplace_back(static_cast<int32_t>(rng.below(kVocab))));
    found = steps->step(tokens, cache).cpu();
  }
  EXPECT_GT(steps->replayed(), kTokens / 2);
  EXPECT_LT(steps->recorded(), 20);
  for (size_t s = 0; s < words.size(); ++s) {
    const at::Tensor positions = at::arange(kTokens, at::kLong).to(kOther);
    const at::Tensor hidden = language.forward(
        language.embed(indices(words[s], kOther)), positions,
        [&](int64_t, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
          const auto heads = [&](const at::Tensor& x) {
            return x.cpu().transpose(0, 1).repeat_interleave(q.size(1) / x.size(1), 0);
          };
          return at::scaled_dot_product_attention(heads(q), heads(k), heads(v), {}, 0.0,
                                                  /*is_causal=*/true)
              .transpose(0, 1)
              .contiguous()
              .to(kOther);
        });
    const at::Tensor expected =
        at::log_softmax(language.matrices().logits(hidden.narrow(0, kTokens - 1, 1)).cpu(), 1);
    EXPECT_TRUE(at::allclose(found[static_cast<int64_t>(s)], expected[0], 1e-3, 1e-3)) << s;
  }
}

// What is wrong in a recording is told: the check that the tests above rest on.
TEST_F(RecordedSteps, TakeNothingFromTheCpu) {
  const at::Tensor there = at::ones({2}).to(kOther), here = at::ones({2});
  const auto told = [](const auto& work) {
    try {
      other_record(work);
    } catch (const std::exception& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(told([&] { there.copy_(here); }), testing::HasSubstr("a copy to or from the CPU"));
  EXPECT_THAT(told([&] { there.sum().item(); }), testing::HasSubstr("a number for the CPU"));
  const at::Tensor sum = at::zeros({}, there.options());
  const auto work = other_record([&] { sum.copy_((there * 2).sum()); });
  EXPECT_EQ(sum.item<double>(), 4);
  there.fill_(3);
  work->replay();
  EXPECT_EQ(sum.item<double>(), 12);
}

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
