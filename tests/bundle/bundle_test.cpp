// A model folder gives back the bundle that it was written from, or one clear error.

#include "bundle/bundle.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "tests/support.h"
#include "tests/text/tiny_tokenizer.h"
#include "tests/tiny_model.h"

#include <functional>
#include <string>

#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

Bundle tiny_bundle(bool sees, at::ScalarType dtype = at::kFloat) {
  Bundle bundle;
  bundle.tokenizer = test::tiny_chat_tokenizer();
  bundle.prompt_template = PromptTemplate::named("chatml", *bundle.tokenizer);
  if (sees) {
    bundle.processor = Processor{.fit = Processor::Fit::crop,
                                 .size = 16,
                                 .mean = {0.1f, 0.2f, 0.3f},
                                 .std_dev = {0.7f, 0.8f, 0.9f}};
  }
  bundle.mask = MaskPolicy::question;
  bundle.recipe = "name = \"tiny\"\n";
  bundle.model = test::tiny_model(
      {.dtype = dtype, .sees = sees, .vocab_size = bundle.tokenizer->vocab_size()});
  return bundle;
}

void expect_equal(const Bundle& ours, const Bundle& back) {
  const ModelConfig& config = ours.model->config();
  EXPECT_EQ(back.model->config().vision, config.vision);
  EXPECT_EQ(back.model->config().language, config.language);
  if (config.sees()) {
    EXPECT_EQ(back.model->config().connector, config.connector);
  }
  EXPECT_EQ(back.mask, ours.mask);
  EXPECT_EQ(back.recipe, ours.recipe);
  EXPECT_EQ(back.processor, ours.processor);
  EXPECT_EQ(back.prompt_template->name(), ours.prompt_template->name());
  const std::string text = "what are the cats doing?<|im_end|>";
  EXPECT_EQ(back.tokenizer->encode(text), ours.tokenizer->encode(text));
  ASSERT_EQ(back.model->params().size(), ours.model->params().size());
  for (const auto& [name, tensor] : ours.model->params()) {
    ASSERT_TRUE(back.model->params().contains(name)) << name;
    const at::Tensor& other = back.model->params().at(name);
    EXPECT_EQ(other.scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(at::equal(other, tensor)) << name;
  }
}

class BundleFolder : public testing::Test {
 protected:
  void set_in_manifest(const char* key, const Json& value) const {
    Json manifest = read_json(model_ / "sightline.json");
    manifest[key] = value;
    write_json(model_ / "sightline.json", manifest);
  }

  // The error of loading, which must be one line that names `file` of the folder, or the folder.
  void expect_mistake(const std::string& file, const std::string& says) const {
    std::string said;
    try {
      load_bundle(model_, at::kFloat);
    } catch (const Error& error) {
      said = error.what();
    }
    EXPECT_THAT(said, StartsWith(file.empty() ? model_.string() : (model_ / file).string()));
    EXPECT_THAT(said, HasSubstr(says));
    EXPECT_EQ(said.find('\n'), std::string::npos) << said;
  }

  const test::TemporaryFolder folder_;
  const fs::path model_ = folder_.path() / "model";
};

TEST_F(BundleFolder, GivesBackEveryBit) {
  for (const auto dtype : {at::kFloat, at::kBFloat16}) {
    const Bundle bundle = tiny_bundle(true, dtype);
    save_bundle(model_, bundle, "a card");
    expect_equal(bundle, load_bundle(model_, dtype));
    EXPECT_EQ(read_file(model_ / "README.md"), "a card");
  }
}

TEST_F(BundleFolder, GivesBackALanguageModelAlone) {
  const Bundle bundle = tiny_bundle(false);
  save_bundle(model_, bundle, "");
  EXPECT_FALSE(fs::exists(model_ / "vision"));
  EXPECT_FALSE(fs::exists(model_ / "connector"));
  expect_equal(bundle, load_bundle(model_, at::kFloat));
}

TEST_F(BundleFolder, RefusesAManifestThatItDoesNotKnow) {
  const Bundle bundle = tiny_bundle(true);
  save_bundle(model_, bundle, "");
  const std::string good = read_file(model_ / "sightline.json");
  const auto expect_refused = [&](const char* key, const Json& value, const std::string& says) {
    write_file(model_ / "sightline.json", good);
    set_in_manifest(key, value);
    expect_mistake("sightline.json", says);
  };
  expect_refused("format_version", kBundleFormatVersion + 1, "format_version 2");
  expect_refused("format_version", "one", "\"format_version\" is \"one\"");
  expect_refused("mask", "full", "\"full\" is no mask");
  expect_refused("template", "alpaca", "\"alpaca\"");
  expect_refused("connector", {{"kind", "resampler"}}, "resampler");
  write_file(model_ / "sightline.json", good.substr(0, good.size() / 2));
  expect_mistake("sightline.json", "not valid JSON");
  fs::remove(model_ / "sightline.json");
  expect_mistake("", "no sightline.json");
}

TEST_F(BundleFolder, NamesTheFileThatIsBroken) {
  const Bundle bundle = tiny_bundle(true);
  for (const char* part : {"vision", "connector", "language"}) {
    const std::string file = std::string(part) + "/model.safetensors";
    save_bundle(model_, bundle, "");
    const std::string whole = read_file(model_ / file);
    write_file(model_ / file, whole.substr(0, whole.size() - 1));
    expect_mistake(file, "truncated");
    fs::remove(model_ / file);
    expect_mistake(file, "cannot open");
  }
}

TEST_F(BundleFolder, NamesAPartOfAnotherShape) {
  const Bundle bundle = tiny_bundle(true);
  save_bundle(model_, bundle, "");
  set_in_manifest("connector", {{"kind", "mlp"}});
  expect_mistake("connector/model.safetensors", "another shape");
  save_bundle(model_, bundle, "");
  Json config = read_json(model_ / "language/config.json");
  config["intermediate_size"] = 20;
  write_json(model_ / "language/config.json", config);
  expect_mistake("language/model.safetensors", "config.json makes it [20, 16]");
}

}  // namespace
}  // namespace sightline
