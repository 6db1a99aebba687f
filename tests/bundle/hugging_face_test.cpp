// Our ViT and Llama against transformers, on real weights.

#include "bundle/hugging_face.h"

#include "base/json.h"
#include "base/rng.h"
#include "batch/compose.h"
#include "model/model.h"
#include "tensor/safetensors.h"
#include "tests/support.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/equal.h>
#include <c10/core/GradMode.h>

namespace sightline {
namespace {

namespace fs = std::filesystem;

// Largest difference over max(1, largest value).
double relative_difference(const at::Tensor& ours, const at::Tensor& theirs) {
  const double scale = std::max(1.0, theirs.abs().max().item<double>());
  return (ours - theirs).abs().max().item<double>() / scale;
}

at::Tensor oracle(const std::string& kind, const fs::path& model, const ParamMap& input) {
  const test::TemporaryFolder folder;
  write_safetensors(folder.path() / "in.safetensors", input);
  const auto run = test::run_oracle("model", kind + " " + model.string() + " " +
                                                 (folder.path() / "in.safetensors").string() + " " +
                                                 (folder.path() / "out.safetensors").string());
  EXPECT_EQ(run.exit_code, 0) << run.output;
  return SafetensorsFile(folder.path() / "out.safetensors").load("result");
}

Batch text_batch(const std::vector<int32_t>& tokens) {
  Sample sample;
  sample.where = "test";
  Rows rows;
  rows.tokens = tokens;
  rows.kinds.assign(tokens.size(), RowKind::assistant);
  rows.supervised.assign(tokens.size(), 1);
  sample.conversations.push_back(rows);
  const Sample* pointer = &sample;
  return compose({&pointer, 1}, {.policy = MaskPolicy::causal});
}

TEST(OracleHuggingFace, VitTinyEqualsTransformers) {
  const fs::path folder = test::data_folder() / "weights/vit_tiny_patch16_224_tinyimagenet";
  SIGHTLINE_NEEDS(folder);
  SIGHTLINE_NEEDS(test::oracle_python());
  const c10::NoGradGuard no_grad;
  ModelConfig config;
  config.vision = read_vision_config(folder);
  ParamMap params;
  load_vision(folder, *config.vision, at::kFloat, Loading::copy, params);
  const Model model(config, std::move(params));
  const at::Tensor pixels = random_parameter("pixels", {2, 3, 224, 224}, 3) * 50;
  ParamMap input;
  input.add("pixels", pixels);
  const at::Tensor theirs_NRD = oracle("vit", folder, input);
  EXPECT_LE(relative_difference(model.vision().forward(pixels), theirs_NRD.slice(1, 1)), 1e-4);
}

fs::path tiny_stories_folder() { return test::data_folder() / "weights/TinyStories-656K"; }

Model tiny_stories() {
  ModelConfig config;
  config.language = read_language_config(tiny_stories_folder());
  ParamMap params;
  load_language(tiny_stories_folder(), *config.language, at::kFloat, Loading::copy, params);
  return Model(config, std::move(params));
}

TEST(OracleHuggingFace, TinyStoriesLogitsEqualTransformers) {
  SIGHTLINE_NEEDS(tiny_stories_folder());
  SIGHTLINE_NEEDS(test::oracle_python());
  const c10::NoGradGuard no_grad;
  const Model model = tiny_stories();
  const Batch batch = text_batch([] {
    Rng rng(4);
    std::vector<int32_t> tokens = {1};
    for (int i = 0; i < 99; ++i) tokens.push_back(static_cast<int32_t>(rng.below(2048)));
    return tokens;
  }());
  at::Tensor tokens = at::arange(100, at::kInt).unsqueeze(0).contiguous();
  std::copy(batch.tokens_T.begin(), batch.tokens_T.end(), tokens.data_ptr<int32_t>());
  ParamMap input;
  input.add("tokens", tokens);
  const at::Tensor theirs = oracle("llama", tiny_stories_folder(), input);
  const at::Tensor ours = model.forward(batch, {}).matmul(model.language().head().t());
  EXPECT_LE(relative_difference(ours, theirs[0]), 1e-4);
}

// SigLIP stands under several names, in one file or in shards, beside tensors that are not ours.
TEST(HuggingFace, TakesSiglipUnderEveryNameThatItHas) {
  const VisionConfig config{VisionKind::siglip, 12, 2, 2, 16, 30, 14, 1e-6};
  for (const std::string prefix : {"vision_model.", "", "vision_tower.vision_model.",
                                   "model.vision_tower.vision_model.", "model.vision_tower."}) {
    const test::TemporaryFolder folder;
    ParamMap first, second;
    Json map;
    for (const auto& [name, shape] : vision_parameters(config)) {
      const std::string stored = prefix + name.substr(std::string_view("vision.").size());
      const bool lower = name.find("layers.1") == std::string::npos;
      (lower ? first : second).add(stored, random_parameter(name, shape, 3));
      map[stored] = lower ? "first.safetensors" : "second.safetensors";
    }
    second.add(prefix + "head.probe", at::arange(4, at::kFloat));
    map[prefix + "head.probe"] = "second.safetensors";
    write_safetensors(folder.path() / "first.safetensors", first);
    write_safetensors(folder.path() / "second.safetensors", second);
    write_json(folder.path() / "model.safetensors.index.json", {{"weight_map", map}});
    ParamMap params;
    load_vision(folder.path(), config, at::kFloat, Loading::copy, params);
    EXPECT_EQ(params.size(), vision_parameters(config).size());
    for (const auto& [name, shape] : vision_parameters(config)) {
      EXPECT_TRUE(at::equal(params.at(name), random_parameter(name, shape, 3))) << prefix << name;
    }
  }
}

// The reference came with the weights: logits after the prompt, and what greedy decoding says.
TEST(HuggingFace, TinyStoriesGoesOnAsItsReference) {
  SIGHTLINE_NEEDS(tiny_stories_folder() / "reference_outputs.json");
  const c10::NoGradGuard no_grad;
  const Model model = tiny_stories();
  const Json reference = read_json(tiny_stories_folder() / "reference_outputs.json");
  auto ids = reference.at("prompt_ids").get<std::vector<int32_t>>();
  const auto greedy = reference.at("greedy_ids").get<std::vector<int32_t>>();
  ASSERT_GT(greedy.size(), ids.size());
  const auto last_logits = [&] {
    return model.forward(text_batch(ids), {})[-1].matmul(model.language().head().t());
  };
  const at::Tensor after_prompt = last_logits();
  const auto expected = reference.at("last_logits").get<std::vector<float>>();
  ASSERT_EQ(after_prompt.numel(), static_cast<int64_t>(expected.size()));
  at::Tensor theirs = at::empty_like(after_prompt);
  std::copy(expected.begin(), expected.end(), theirs.data_ptr<float>());
  EXPECT_LE(relative_difference(after_prompt, theirs), 1e-4);
  while (ids.size() < greedy.size()) {
    ids.push_back(static_cast<int32_t>(last_logits().argmax().item<int64_t>()));
  }
  EXPECT_EQ(ids, greedy);
}

}  // namespace
}  // namespace sightline
