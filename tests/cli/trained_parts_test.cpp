#include "cli/trained_parts.h"

#include "recipe/parse.h"
#include "tests/tiny_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline::test {
namespace {

using testing::HasSubstr;

constexpr const char* kRecipe = R"(name = "small"
[model]
vision = { image_size = 16, patch_size = 4 }
language = { hidden_size = 16 }
tokenizer = "tok"
[data.train]
format = "scenes"
count = 3
[[stage]]
name = "align"
train = ["connector"]
mixture = [{ data = "train" }]
[[stage]]
name = "deepen"
train = ["connector", "vision.layers[1:]", "language.norm"]
mixture = [{ data = "train" }]
mask = "causal"
)";

class TrainedParts : public testing::Test {
 protected:
  const Recipe recipe_ = parse_recipe(kRecipe, "small.toml", {}, PathCheck::later);
  const ModelConfig config_ = tiny_config({});

  const TrainedPart& named(const std::vector<TrainedPart>& parts, const std::string& part,
                           const std::string& section) const {
    for (const TrainedPart& each : parts) {
      if (each.part == part && each.section == section) return each;
    }
    throw std::runtime_error(part);
  }
};

TEST_F(TrainedParts, CountWhatEachStageTrains) {
  const auto parts = trained_parts(recipe_, config_);
  // 12 x 12 and 12 for queries, keys, values and the way out, 16 x 12 twice, 16 and 12, two norms.
  const int64_t layer = 4 * (144 + 12) + 2 * 192 + 16 + 12 + 2 * 24;
  EXPECT_EQ(named(parts, "vision", "layers").parameters, 2 * layer);
  EXPECT_THAT(named(parts, "vision", "layers").trained, testing::ElementsAre(0, layer));
  const TrainedPart& connector = named(parts, "connector", "");
  EXPECT_THAT(connector.trained, testing::ElementsAre(connector.parameters, connector.parameters));
  EXPECT_THAT(named(parts, "language", "norm").trained, testing::ElementsAre(0, 16));
  EXPECT_THAT(named(parts, "language", "embeddings").trained, testing::ElementsAre(0, 0));
  int64_t all = 0;
  for (const TrainedPart& part : parts) all += part.parameters;
  EXPECT_EQ(all, tiny_model()->params().num_elements());
}

TEST_F(TrainedParts, TextIsTheResolvedRecipe) {
  const std::string text = recipe_text(recipe_, config_);
  EXPECT_THAT(text, HasSubstr("# vision.layers"));
  EXPECT_THAT(text, HasSubstr("frozen"));
  const Recipe back = parse_recipe(text, "back.toml", {}, PathCheck::later);
  EXPECT_EQ(print_recipe(back), print_recipe(recipe_));
}

}  // namespace
}  // namespace sightline::test
