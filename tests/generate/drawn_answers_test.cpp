// Drawn answers of a model: the same words whatever is decoded beside them.

#include "generate/generator.h"
#include "recipe/decoding.h"
#include "tests/generate/toy_model.h"
#include "tests/support.h"

#include <set>

#include <gtest/gtest.h>

namespace sightline::test {
namespace {

constexpr DecodingRecipe drawn(int64_t tokens, uint64_t seed) {
  return {.max_new_tokens = tokens, .temperature = 0.9, .answers = 2, .seed = seed};
}

// All answers to all prompts, decoded `batch` prompts at once.
std::vector<std::vector<Generated>> in_batches(const Generator& generator,
                                               std::span<const Prompt> prompts, size_t batch,
                                               const DecodingRecipe& decoding) {
  std::vector<std::vector<Generated>> all;
  for (size_t first = 0; first < prompts.size(); first += batch) {
    const auto part = prompts.subspan(first, std::min(batch, prompts.size() - first));
    for (auto& each : generator.answers(part, decoding)) all.push_back(std::move(each));
  }
  return all;
}

void expect_same_words(const Generator& generator, std::span<const Prompt> prompts,
                       const DecodingRecipe& decoding) {
  const auto alone = in_batches(generator, prompts, 1, decoding);
  for (const size_t batch : {3u, 64u}) {
    const auto together = in_batches(generator, prompts, batch, decoding);
    ASSERT_EQ(together.size(), alone.size());
    for (size_t p = 0; p < alone.size(); ++p) {
      for (size_t a = 0; a < alone[p].size(); ++a) {
        EXPECT_EQ(together[p][a].tokens, alone[p][a].tokens)
            << "batches of " << batch << ", prompt " << p << ", answer " << a;
      }
    }
  }
}

std::vector<Prompt> many_toy_prompts(const Model& model) {
  std::vector<Prompt> prompts;
  for (const uint64_t seed : {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}) {
    for (Prompt& prompt : toy_prompts(model, seed)) prompts.push_back(std::move(prompt));
  }
  return prompts;  // 66
}

TEST(DrawnAnswers, AreTheSameInBatchesOfAnySize) {
  const Model model = toy_model(11);
  const std::vector<Prompt> prompts = many_toy_prompts(model);
  const std::vector<int32_t> end = {0};
  for (const MaskPolicy policy : {MaskPolicy::causal, MaskPolicy::image}) {
    expect_same_words(Generator(model, policy, end), prompts, drawn(12, 5));
  }
}

TEST(DrawnAnswers, DifferBySeedPromptAndNumber) {
  const Model model = toy_model(11);
  Rng rng(2);
  // Two prompts of like words and unlike pictures.
  std::vector<Prompt> prompts = {toy_prompt(model, rng, 1, 1), toy_prompt(model, rng, 1, 1)};
  prompts[1].rows = prompts[0].rows;
  const Generator generator(model, MaskPolicy::image, {});
  std::set<std::vector<int32_t>> distinct;
  for (const uint64_t seed : {1, 2}) {
    const auto answers = generator.answers(prompts, drawn(30, seed));
    for (const auto& of_prompt : answers) {
      for (const Generated& each : of_prompt) distinct.insert(each.tokens);
    }
    EXPECT_EQ(generator.answers(prompts, drawn(30, seed))[0][0].tokens, answers[0][0].tokens);
  }
  EXPECT_EQ(distinct.size(), 8u);
}

// A real vocabulary and real weights.
TEST(SlowDrawnAnswers, OfTinyStoriesAreTheSameInBatchesOfAnySize) {
  const auto folder = data_folder() / "weights/TinyStories-656K";
  SIGHTLINE_NEEDS(folder / "reference_outputs.json");
  ModelRecipe recipe;
  recipe.language.emplace().folder = folder.string();
  const Bundle bundle = make_bundle(recipe, 0, at::kFloat);
  std::vector<Prompt> prompts;
  for (int32_t i = 0; i < 64; ++i) {
    Prompt prompt{.where = "story"};
    for (const int32_t id : {1, 80, 147, 201 + i}) append(prompt.rows, id, RowKind::user);
    for (int32_t more = 0; more < i % 5; ++more) append(prompt.rows, 300 + more, RowKind::user);
    prompts.push_back(std::move(prompt));
  }
  expect_same_words(Generator(bundle), prompts, drawn(24, 1));
}

// Diverse beams and several answers through the cache, each score by a search of its own.
TEST(SeveralAnswers, ComeBestFirstAndDiffer) {
  const Model model = toy_model(11);
  const std::vector<Prompt> prompts = toy_prompts(model, 3);
  const std::vector<int32_t> end = {0};
  const Generator generator(model, MaskPolicy::image, end);
  const DecodingRecipe beams{.beams = 4, .max_new_tokens = 8, .answers = 4};
  const DecodingRecipe groups{
      .beams = 4, .beam_groups = 2, .diversity = 1.0, .max_new_tokens = 8, .answers = 4};
  for (const DecodingRecipe& decoding : {beams, groups}) {
    const auto together = generator.answers(prompts, decoding);
    for (size_t p = 0; p < prompts.size(); ++p) {
      ASSERT_EQ(together[p].size(), 4u);
      const auto alone = generator.answers({&prompts[p], 1}, decoding).front();
      for (size_t a = 0; a < 4; ++a) {
        EXPECT_EQ(together[p][a].tokens, alone[a].tokens);
        EXPECT_LE(together[p][a].score, together[p][a == 0 ? 0 : a - 1].score);
      }
    }
  }
}

}  // namespace
}  // namespace sightline::test
