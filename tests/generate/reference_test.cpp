// Real weights: greedy search over the cache gives the ids that transformers gave.

#include "base/json.h"
#include "bundle/bundle.h"
#include "generate/generator.h"
#include "tests/generate/toy_model.h"
#include "tests/support.h"

#include <gtest/gtest.h>

namespace sightline::test {
namespace {

TEST(Reference, TinyStoriesGreedyIds) {
  const auto folder = data_folder() / "weights/TinyStories-656K";
  SIGHTLINE_NEEDS(folder / "reference_outputs.json");
  const Json reference = read_json(folder / "reference_outputs.json");
  const auto prompt_ids = reference["prompt_ids"].get<std::vector<int32_t>>();
  const auto expected = reference["greedy_ids"].get<std::vector<int32_t>>();
  ASSERT_GT(expected.size(), prompt_ids.size());

  ModelRecipe recipe;
  recipe.language.emplace().folder = folder.string();
  const Bundle bundle = make_bundle(recipe, 0, at::kFloat);
  Prompt prompt{.where = "reference"};
  for (const int32_t id : prompt_ids) append(prompt.rows, id, RowKind::user);
  const DecodingRecipe options{.max_new_tokens =
                                   static_cast<int64_t>(expected.size() - prompt_ids.size())};
  const Generated generated = Generator(bundle).generate({&prompt, 1}, options).front();
  std::vector<int32_t> ids = prompt_ids;
  ids.insert(ids.end(), generated.tokens.begin(), generated.tokens.end());
  if (generated.ended) ids.push_back(bundle.prompt_template->end_ids().front());
  EXPECT_EQ(ids, expected);
}

}  // namespace
}  // namespace sightline::test
