#include "recipe/trainable.h"

#include "base/error.h"

#include <gmock/gmock.h>

namespace sightline {
namespace {

using ::testing::HasSubstr;

Trainable trainable(std::vector<std::string> selectors) { return {selectors, 12, 6}; }

TEST(Trainable, SelectsParts) {
  const Trainable connector = trainable({"connector"});
  EXPECT_TRUE(connector("connector.linear_1.weight"));
  EXPECT_TRUE(connector("connector.linear_2.bias"));
  EXPECT_FALSE(connector("vision.layernorm.weight"));
  EXPECT_FALSE(connector("language.lm_head.weight"));
  const Trainable all = trainable({"vision", "connector", "language"});
  for (const char* name :
       {"vision.embeddings.cls_token", "vision.embeddings.patch_embeddings.projection.weight",
        "vision.encoder.layer.11.attention.attention.query.weight", "vision.layernorm.bias",
        "connector.linear_1.bias", "language.model.embed_tokens.weight",
        "language.model.layers.5.mlp.up_proj.weight", "language.model.norm.weight",
        "language.lm_head.weight"}) {
    EXPECT_TRUE(all(name)) << name;
  }
  EXPECT_FALSE(all("visionary.weight"));
}

TEST(Trainable, KnowsSiglipsNames) {
  const Trainable upper = trainable({"vision.layers[8:]", "vision.norm"});
  EXPECT_TRUE(upper("vision.encoder.layers.8.self_attn.out_proj.bias"));
  EXPECT_FALSE(upper("vision.encoder.layers.7.layer_norm1.weight"));
  EXPECT_TRUE(upper("vision.post_layernorm.weight"));
  EXPECT_FALSE(upper("vision.embeddings.position_embedding.weight"));
  const Trainable embeddings = trainable({"vision.embeddings"});
  EXPECT_TRUE(embeddings("vision.embeddings.patch_embedding.bias"));
  EXPECT_FALSE(embeddings("vision.post_layernorm.weight"));
}

TEST(Trainable, SelectsSections) {
  const Trainable sections = trainable({"vision.norm", "language.embeddings"});
  EXPECT_TRUE(sections("vision.layernorm.weight"));
  EXPECT_FALSE(sections("vision.encoder.layer.0.layernorm_before.weight"));
  EXPECT_TRUE(sections("language.model.embed_tokens.weight"));
  EXPECT_FALSE(sections("language.model.norm.weight"));
  EXPECT_FALSE(sections("language.lm_head.weight"));
  EXPECT_TRUE(trainable({"language.head"})("language.lm_head.weight"));
  EXPECT_TRUE(trainable({"language.norm"})("language.model.norm.weight"));
  EXPECT_FALSE(
      trainable({"language.norm"})("language.model.layers.0.post_attention_layernorm.weight"));
  EXPECT_TRUE(trainable({"vision.embeddings"})("vision.embeddings.position_embeddings"));
}

// Which of 12 vision layers a slice selects.
std::vector<int> layers_of(const std::string& selector) {
  const Trainable trains({&selector, 1}, 12, 6);
  std::vector<int> layers;
  for (int i = 0; i < 12; ++i) {
    if (trains("vision.encoder.layer." + std::to_string(i) + ".output.dense.weight")) {
      layers.push_back(i);
    }
  }
  return layers;
}

TEST(Trainable, SlicesAsPythonDoes) {
  using ::testing::ElementsAre;
  EXPECT_THAT(layers_of("vision.layers[8:]"), ElementsAre(8, 9, 10, 11));
  EXPECT_THAT(layers_of("vision.layers[2:6]"), ElementsAre(2, 3, 4, 5));
  EXPECT_THAT(layers_of("vision.layers[:2]"), ElementsAre(0, 1));
  EXPECT_THAT(layers_of("vision.layers[-1:]"), ElementsAre(11));
  EXPECT_THAT(layers_of("vision.layers[-30:-10]"), ElementsAre(0, 1));
  EXPECT_THAT(layers_of("vision.layers[10:99]"), ElementsAre(10, 11));
  EXPECT_EQ(layers_of("vision.layers").size(), 12u);
  EXPECT_EQ(layers_of("vision.layers[:]").size(), 12u);
  const Trainable language = trainable({"language.layers[:4]"});
  EXPECT_TRUE(language("language.model.layers.3.self_attn.q_proj.weight"));
  EXPECT_FALSE(language("language.model.layers.4.self_attn.q_proj.weight"));
  EXPECT_FALSE(language("vision.encoder.layer.3.output.dense.weight"));
}

TEST(Trainable, KnowsTheLowestVisionLayer) {
  EXPECT_EQ(trainable({"connector", "language"}).lowest_vision_layer(), 13);
  EXPECT_EQ(trainable({"vision.norm"}).lowest_vision_layer(), 12);
  EXPECT_EQ(trainable({"vision.layers[8:]", "vision.norm"}).lowest_vision_layer(), 8);
  EXPECT_EQ(trainable({"vision.layers[-2:]"}).lowest_vision_layer(), 10);
  EXPECT_EQ(trainable({"vision.embeddings"}).lowest_vision_layer(), 0);
  EXPECT_EQ(trainable({"vision.layers[8:]", "vision"}).lowest_vision_layer(), 0);
}

std::string refusal(const std::string& selector) {
  try {
    Trainable({&selector, 1}, 12, 6);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Trainable, RefusesWhatSelectsNothing) {
  EXPECT_THAT(refusal("vision.layers[12:]"), HasSubstr("12 layers, 0 to 11"));
  EXPECT_THAT(refusal("language.layers[7:9]"), HasSubstr("6 layers"));
  EXPECT_THAT(refusal("vision.layers[4:4]"), HasSubstr("selects no layer"));
  EXPECT_THAT(refusal("visin"), HasSubstr("did you mean \"vision\"?"));
  EXPECT_THAT(refusal("vision.head"), HasSubstr("vision has no section \"head\""));
  EXPECT_THAT(refusal("connector.norm"), HasSubstr("as a whole"));
  EXPECT_THAT(refusal("vision.layers[8]"), HasSubstr("colon"));
  EXPECT_THAT(refusal("vision.layers[a:]"), HasSubstr("\"a\" is not a whole number"));
  EXPECT_THAT(refusal("vision.layers[1:2:3]"), HasSubstr("not a whole number"));
  EXPECT_THAT(refusal("vision.layers8:"), HasSubstr("no section"));
  EXPECT_THAT(refusal("vision.layers[8:"), HasSubstr("layers[first:last]"));
  EXPECT_THAT(refusal(""), HasSubstr("a selector is"));
  const std::string selector = "vision.layers[:]";
  EXPECT_THROW(Trainable({&selector, 1}, 0, 6), Error);
}

}  // namespace
}  // namespace sightline
