// A run whose parts are small ones of the full scale's kinds: SigLIP, pool, Qwen2.

#include "image/encode.h"
#include "tests/run/small_run.h"

#include <gmock/gmock.h>

namespace sightline {
namespace {

constexpr const char* kRecipe = R"(name = "siglip"
threads = 1
cache = "cache"
[model]
vision = { kind = "siglip", image_size = 50, patch_size = 8, hidden_size = 48, num_hidden_layers = 3, intermediate_size = 96, last_norm = false }
language = { kind = "qwen2", hidden_size = 64, num_hidden_layers = 2, intermediate_size = 96 }
connector = { kind = "pool", factor = 3 }
tokenizer = "tok"
[data.scenes]
format = "scenes"
task = "caption"
count = 40
[[stage]]
name = "align"
train = ["connector"]
mixture = [{ data = "scenes" }]
step_tokens = 300
micro_tokens = 300
[[stage]]
name = "deepen"
train = ["connector", "vision.layers[1:]"]
mixture = [{ data = "scenes" }]
step_tokens = 300
micro_tokens = 300
[[stage]]
name = "all"
train = ["vision", "connector", "language"]
mixture = [{ data = "scenes" }]
step_tokens = 600
micro_tokens = 300
checkpoint_activations = true
)";

class SlowSiglipRun : public test::ProgramRun {
 protected:
  void SetUp() override {
    SIGHTLINE_NEEDS(test::environment_path("SIGHTLINE_BINARY"));
    begin(kRecipe);
    write("picture.png", encode_png(make_image(40, 30)));
  }
};

TEST_F(SlowSiglipRun, TrainsAndSpeaksAndIsTheSameHoweverActivationsAreHad) {
  const auto anew = run("train recipe.toml --output anew");
  ASSERT_EQ(anew.exit_code, 0) << anew.output;
  const auto kept =
      run("train recipe.toml --output kept --set stage.all.checkpoint_activations=false");
  ASSERT_EQ(kept.exit_code, 0) << kept.output;
  for (const char* part : {"vision", "connector", "language"}) {
    EXPECT_EQ(weights("anew", part), weights("kept", part)) << part;
  }
  const auto said = run("caption anew/model picture.png");
  EXPECT_EQ(said.exit_code, 0) << said.output;
}

}  // namespace
}  // namespace sightline
