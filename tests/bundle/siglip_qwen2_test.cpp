// SigLIP, every connector and Qwen2 in small, with random weights, against transformers: a real
// photograph to pixels, features, rows and logits.

#include "base/json.h"
#include "base/rng.h"
#include "batch/compose.h"
#include "bundle/hugging_face.h"
#include "image/decode.h"
#include "image/processor.h"
#include "model/model.h"
#include "recipe/names.h"
#include "tensor/safetensors.h"
#include "tests/support.h"
#include "tests/tiny_model.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/linear.h>
#include <c10/core/GradMode.h>

namespace sightline {
namespace {

namespace fs = std::filesystem;

// 27 pixels a side and patches of 4: as with 384 and 14, some pixels are left over.
ModelConfig small_config(const ConnectorConfig& connector) {
  ModelConfig config;
  config.vision = VisionConfig{.kind = VisionKind::siglip,
                               .hidden_size = 24,
                               .num_hidden_layers = 3,
                               .num_attention_heads = 2,
                               .intermediate_size = 40,
                               .image_size = 27,
                               .patch_size = 4,
                               .layer_norm_eps = 1e-6};
  config.language = LanguageConfig{.kind = LanguageKind::qwen2,
                                   .vocab_size = 60,
                                   .hidden_size = 32,
                                   .num_hidden_layers = 2,
                                   .num_attention_heads = 4,
                                   .num_key_value_heads = 2,
                                   .head_dim = 8,
                                   .intermediate_size = 48,
                                   .rope_theta = 1e6};
  config.connector = connector;
  return config;
}

// Biases and offsets too: zeros would hide a mistake in their use.
Model random_model(const ModelConfig& config) {
  ParamMap params;
  for (const auto& [name, shape] : parameter_shapes(config)) {
    const at::Tensor noise = random_parameter("weight of " + name, shape, 5, 0.3);
    const bool norm = name.find("norm") != std::string::npos;
    params.add(name, norm ? random_parameter(name, shape, 5) + 0.3 * noise.view(shape) : noise);
  }
  return Model(config, std::move(params));
}

Batch batch_of(const ModelConfig& config) {
  Rng rng(9);
  Sample sample;
  sample.where = "test";
  sample.images.push_back({.path = "image"});
  sample.conversations.push_back(
      test::tiny_rows(rng, 1, config.rows_per_image(), 4, 6, config.language->vocab_size));
  const Sample* pointer = &sample;
  return compose({&pointer, 1},
                 {.policy = MaskPolicy::image, .rows_per_image = config.rows_per_image()});
}

ParamMap input_of(const Batch& batch) {
  const int64_t rows = batch.rows();
  ParamMap input;
  const at::Tensor tokens = at::empty({rows}, at::kInt), positions = at::empty({rows}, at::kInt);
  const at::Tensor allowed_TT = at::empty({rows, rows}, at::kInt);
  for (int64_t q = 0; q < rows; ++q) {
    tokens[q] = batch.tokens_T[q];
    positions[q] = batch.layout.position_T[q];
    for (int64_t k = 0; k < rows; ++k) allowed_TT[q][k] = allowed(batch.layout, q, k) ? 1 : 0;
  }
  input.add("tokens", tokens);
  input.add("positions", positions);
  input.add("allowed", allowed_TT);
  return input;
}

void write_parts(const fs::path& folder, const Model& model, const Batch& batch) {
  const ModelConfig& config = model.config();
  for (const char* part : {"vision", "language"}) fs::create_directory(folder / part);
  save_vision(folder / "vision", *config.vision, model.params());
  save_language(folder / "language", *config.language, model.params());
  ParamMap connector;
  for (const auto& [name, tensor] : model.params()) {
    constexpr std::string_view kPart = "connector.";
    if (name.starts_with(kPart)) connector.add(name.substr(kPart.size()), tensor);
  }
  write_safetensors(folder / "connector.safetensors", connector);
  write_json(folder / "connector.json", to_json(config.connector));
  write_safetensors(folder / "input.safetensors", input_of(batch));
}

at::Tensor pixels_of(const fs::path& photograph, const fs::path& folder) {
  const fs::path file = folder / "vision/preprocessor_config.json";
  const Processor processor = processor_from_json(read_json(file), file.string());
  const Image image = apply(processor, read_image(photograph));
  at::Tensor pixels = at::empty({1, 3, image.height, image.width}, at::kFloat);
  normalise(processor, image, {pixels.data_ptr<float>(), static_cast<size_t>(pixels.numel())});
  return pixels;
}

fs::path first_file(const fs::path& folder) {
  fs::path first;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (first.empty() || entry.path() < first) first = entry.path();
  }
  return first;
}

void expect_close(const at::Tensor& ours, const at::Tensor& theirs, const std::string& what) {
  ASSERT_EQ(ours.sizes(), theirs.sizes()) << what;
  const double scale = std::max(1.0, theirs.abs().max().item<double>());
  EXPECT_LE((ours - theirs).abs().max().item<double>() / scale, 1e-4) << what;
}

class OracleSiglipQwen2 : public testing::TestWithParam<ConnectorConfig> {};

TEST_P(OracleSiglipQwen2, EqualsTransformers) {
  const fs::path photographs = test::data_folder() / "coco_mini/val2017";
  SIGHTLINE_NEEDS(photographs);
  SIGHTLINE_NEEDS(test::oracle_python());
  const fs::path image = first_file(photographs);
  const c10::NoGradGuard no_grad;
  const ModelConfig config = small_config(GetParam());
  const Model model = random_model(config);
  const Batch batch = batch_of(config);
  const test::TemporaryFolder folder;
  write_parts(folder.path(), model, batch);
  const auto run = test::run_oracle("whole", folder.path().string() + " " + image.string());
  ASSERT_EQ(run.exit_code, 0) << run.output;
  const SafetensorsFile theirs(folder.path() / "output.safetensors");

  EXPECT_EQ(read_vision_config(folder.path() / "vision"), *config.vision);
  EXPECT_EQ(read_language_config(folder.path() / "language"), *config.language);
  const at::Tensor pixels = pixels_of(image, folder.path());
  expect_close(pixels, theirs.load("pixels"), "pixels");
  expect_close(model.vision().forward(pixels), theirs.load("features"), "features");
  VisionConfig unnormed = *config.vision;
  unnormed.last_norm = false;
  expect_close(VisionEncoder(unnormed, model.params()).forward(pixels), theirs.load("unnormed"),
               "features without the last norm");
  const at::Tensor rows_IRD = model.image_rows(pixels, kFromPixels);
  expect_close(rows_IRD, theirs.load("rows"), "rows");
  expect_close(at::linear(model.forward(batch, rows_IRD), model.language().head()),
               theirs.load("logits"), "logits");
}

INSTANTIATE_TEST_SUITE_P(Oracle, OracleSiglipQwen2,
                         testing::Values(ConnectorConfig{ConnectorKind::mlp, 1},
                                         ConnectorConfig{ConnectorKind::linear, 1},
                                         ConnectorConfig{ConnectorKind::pool, 2},
                                         ConnectorConfig{ConnectorKind::pool, 3}),
                         [](const auto& each) {
                           return std::string(enum_name(each.param.kind)) +
                                  std::to_string(each.param.factor);
                         });

}  // namespace
}  // namespace sightline
