// Cached decoding and search against full forward passes of a small random model.

#include "generate/generator.h"

#include "base/error.h"
#include "recipe/parse.h"
#include "tests/generate/toy_model.h"

#include <cmath>
#include <map>
#include <numeric>

#include <ATen/TensorOperators.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/log_softmax.h>
#include <gtest/gtest.h>

namespace sightline::test {
namespace {

constexpr MaskPolicy kPolicies[] = {MaskPolicy::causal, MaskPolicy::image, MaskPolicy::prefix,
                                    MaskPolicy::question};

// Log-probabilities of the token behind `answer`, by a full forward pass over prompt and answer.
// The answer's tokens are the assistant's, as in training, so that every policy ends its blocks
// before them.
at::Tensor full_forward(const Model& model, MaskPolicy policy, const Prompt& prompt,
                        const std::vector<int32_t>& answer) {
  Sample sample{.where = "full"};
  Rows rows = prompt.rows;
  rows.awaits_answer = answer.empty();
  for (const int32_t token : answer) {
    append(rows, token, RowKind::assistant);
    rows.supervised.back() = 1;
  }
  sample.conversations.push_back(rows);
  at::Tensor image_rows;
  if (prompt.pixels_ICHW.defined()) {
    sample.images.resize(prompt.pixels_ICHW.size(0));
    image_rows = model.image_rows(prompt.pixels_ICHW.to(model.dtype()), kFromPixels);
  }
  const Sample* pointer = &sample;
  const Batch batch = compose({&pointer, 1}, {policy, model.config().rows_per_image()});
  const at::Tensor hidden_TD = model.forward(batch, image_rows);
  return at::log_softmax(at::linear(hidden_TD[-1], model.language().head()).to(at::kDouble), 0);
}

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

double recomputed_log_probability(const Model& model, MaskPolicy policy, const Prompt& prompt,
                                  const Generated& generated, int32_t end) {
  double sum = 0;
  std::vector<int32_t> tokens = generated.tokens;
  if (generated.ended) tokens.push_back(end);
  for (size_t i = 0; i < tokens.size(); ++i) {
    const std::vector<int32_t> before(tokens.begin(), tokens.begin() + static_cast<int64_t>(i));
    sum += full_forward(model, policy, prompt, before)[tokens[i]].item<double>();
  }
  return sum;
}

class CachedDecodingTest : public testing::TestWithParam<std::tuple<MaskPolicy, at::ScalarType>> {};

// All prompts together, sequences reordered, doubled and dropped on the way.
TEST_P(CachedDecodingTest, EqualsFullForward) {
  const auto [policy, dtype] = GetParam();
  const Model model = toy_model(11, dtype);
  const std::vector<Prompt> prompts = toy_prompts(model, 5);
  const Generator generator(model, policy, {});
  CachedDecoding decoding = generator.start(prompts, {.max_new_tokens = 6});
  const double tolerance = dtype == at::kDouble ? 1e-5 : dtype == at::kFloat ? 1e-4 : 0.3;

  Rng rng(9);
  std::vector<size_t> prompt_of(prompts.size());
  std::iota(prompt_of.begin(), prompt_of.end(), 0);
  std::vector<std::vector<int32_t>> answers(prompts.size());
  for (int step = 0; step < 6; ++step) {
    ASSERT_EQ(decoding.size(), static_cast<int64_t>(answers.size()));
    for (size_t s = 0; s < answers.size(); ++s) {
      const at::Tensor expected = full_forward(model, policy, prompts[prompt_of[s]], answers[s]);
      EXPECT_LE(largest_difference(decoding.log_probabilities()[static_cast<int64_t>(s)], expected),
                tolerance)
          << name_of(policy) << ", step " << step << ", sequence " << s;
    }
    std::vector<int64_t> parents;
    std::vector<int32_t> tokens;
    std::vector<size_t> next_prompts;
    std::vector<std::vector<int32_t>> next_answers;
    for (size_t s = 0; s < answers.size(); ++s) {
      const uint64_t chosen = step == 0 ? s : rng.below(answers.size());
      parents.push_back(static_cast<int64_t>(chosen));
      tokens.push_back(static_cast<int32_t>(rng.below(11)));
      next_prompts.push_back(prompt_of[chosen]);
      next_answers.push_back(answers[chosen]);
      next_answers.back().push_back(tokens.back());
    }
    if (step == 3) {  // one retires
      parents.pop_back();
      tokens.pop_back();
      next_prompts.pop_back();
      next_answers.pop_back();
    }
    decoding.advance(parents, tokens);
    prompt_of = next_prompts;
    answers = next_answers;
  }
}

INSTANTIATE_TEST_SUITE_P(Policies, CachedDecodingTest,
                         testing::Combine(testing::ValuesIn(kPolicies),
                                          testing::Values(at::kFloat, at::kDouble, at::kBFloat16)));

TEST(Generator, GreedyTakesTheBestTokenOfFullForward) {
  const Model model = toy_model(11);
  const std::vector<Prompt> prompts = toy_prompts(model, 6);
  const std::vector<int32_t> end = {0};
  for (const MaskPolicy policy : kPolicies) {
    const auto results = Generator(model, policy, end).generate(prompts, {.max_new_tokens = 8});
    ASSERT_EQ(results.size(), prompts.size());
    for (size_t p = 0; p < prompts.size(); ++p) {
      std::vector<int32_t> expected;
      bool ended = false;
      while (!ended && expected.size() < 8) {
        const auto best =
            full_forward(model, policy, prompts[p], expected).argmax().item<int64_t>();
        ended = best == 0;
        if (!ended) expected.push_back(static_cast<int32_t>(best));
      }
      EXPECT_EQ(results[p].tokens, expected) << name_of(policy) << ", prompt " << p;
      EXPECT_EQ(results[p].ended, ended);
    }
  }
}

TEST(Generator, BatchedEqualsSingle) {
  const Model model = toy_model(11);
  const std::vector<int32_t> end = {0, 1, 2};
  bool any_ended = false, any_not = false;
  for (const MaskPolicy policy : kPolicies) {
    for (const int64_t beams : {1, 3}) {
      const Generator generator(model, policy, end);
      const DecodingRecipe options{.beams = beams, .max_new_tokens = 10};
      const std::vector<Prompt> prompts = toy_prompts(model, 7);
      const auto together = generator.generate(prompts, options);
      for (size_t p = 0; p < prompts.size(); ++p) {
        const Generated alone = generator.generate({&prompts[p], 1}, options).front();
        EXPECT_EQ(together[p].tokens, alone.tokens)
            << name_of(policy) << ", " << beams << " beams, prompt " << p;
        EXPECT_NEAR(together[p].log_probability, alone.log_probability, 1e-4);
        (alone.ended ? any_ended : any_not) = true;
      }
    }
  }
  EXPECT_TRUE(any_ended && any_not) << "the prompts should show both ways to stop";
}

TEST(Generator, BeamScoresEqualTheirRecomputation) {
  const Model model = toy_model(11);
  const std::vector<Prompt> prompts = toy_prompts(model, 8);
  const std::vector<int32_t> end = {0};
  for (const MaskPolicy policy : kPolicies) {
    const auto results =
        Generator(model, policy, end)
            .generate(prompts, {.beams = 4, .max_new_tokens = 7, .length_penalty = 0.7});
    for (size_t p = 0; p < prompts.size(); ++p) {
      const double expected =
          recomputed_log_probability(model, policy, prompts[p], results[p], end.front());
      EXPECT_NEAR(results[p].log_probability, expected, 1e-4);
      const auto length =
          static_cast<double>(results[p].tokens.size() + (results[p].ended ? 1 : 0));
      EXPECT_NEAR(results[p].score, expected / std::pow(length, 0.7), 1e-4);
    }
  }
}

// Every answer of at most three tokens over six, scored by full forward passes.
Generated best_of_all(const Model& model, const Prompt& prompt, double length_penalty) {
  Generated best{.score = -1e9};
  const auto visit = [&](auto&& self, std::vector<int32_t> tokens, double sum) -> void {
    const at::Tensor next = full_forward(model, MaskPolicy::image, prompt, tokens);
    for (int32_t token = 0; token < 6; ++token) {
      const double total = sum + next[token].item<double>();
      std::vector<int32_t> longer = tokens;
      longer.push_back(token);
      if (token != 0 && longer.size() < 3) {
        self(self, longer, total);
        continue;
      }
      const double score = total / std::pow(static_cast<double>(longer.size()), length_penalty);
      if (score <= best.score) continue;
      const bool ended = token == 0;
      if (ended) longer.pop_back();
      best = {.tokens = longer, .log_probability = total, .ended = ended, .score = score};
    }
  };
  visit(visit, {}, 0);
  return best;
}

TEST(Generator, WideBeamFindsTheBestOfAllAnswers) {
  const std::vector<int32_t> end = {0};
  int beaten = 0;
  for (const uint64_t seed : {1, 2, 3, 4}) {
    const Model model = toy_model(6, at::kFloat, seed);
    const Generator generator(model, MaskPolicy::image, end);
    Rng rng(seed);
    const std::vector<Prompt> prompts = {toy_prompt(model, rng, 2, 1),
                                         toy_prompt(model, rng, 3, 0)};
    for (const double penalty : {1.0, 0.0, -0.5, 2.0}) {
      const auto wide = generator.generate(
          prompts, {.beams = 250, .max_new_tokens = 3, .length_penalty = penalty});
      const auto greedy =
          generator.generate(prompts, {.max_new_tokens = 3, .length_penalty = penalty});
      for (size_t p = 0; p < prompts.size(); ++p) {
        const Generated expected = best_of_all(model, prompts[p], penalty);
        EXPECT_EQ(wide[p].tokens, expected.tokens) << "seed " << seed << ", penalty " << penalty;
        EXPECT_EQ(wide[p].ended, expected.ended);
        EXPECT_NEAR(wide[p].score, expected.score, 1e-4);
        EXPECT_GE(wide[p].score, greedy[p].score - 1e-6);
        if (wide[p].score > greedy[p].score + 1e-3) ++beaten;
      }
    }
  }
  EXPECT_GT(beaten, 0) << "greedy found every best answer: the search shows nothing";
}

TEST(Generator, StopsWhereTheModelsPositionsEnd) {
  const Model model = toy_model(11);  // 64 positions
  Rng rng(3);
  const Generator generator(model, MaskPolicy::image, {});
  const Prompt prompt = toy_prompt(model, rng, 60, 0);
  EXPECT_EQ(generator.generate({&prompt, 1}, {.max_new_tokens = 9}).front().tokens.size(), 4u);
  const Prompt full = toy_prompt(model, rng, 64, 0);
  try {
    generator.generate({&full, 1}, {});
    FAIL() << "a prompt without room was accepted";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("64 tokens"), std::string::npos) << error.what();
  }
}

TEST(Generator, RefusesAModelThatGivesNoNumbers) {
  Model model = toy_model(11);
  at::Tensor weight = model.params().at("language.model.norm.weight");
  weight.fill_(std::nan(""));
  Rng rng(3);
  const Prompt prompt = toy_prompt(model, rng, 3, 0);
  EXPECT_THROW(Generator(model, MaskPolicy::image, {}).generate({&prompt, 1}, {}), Error);
}

}  // namespace
}  // namespace sightline::test
