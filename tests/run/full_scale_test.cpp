// The shapes of SigLIP-so400m-patch14-384 and Qwen2.5-0.5B, 0.91 B parameters with random weights:
// one optimizer step of all of them in bf16, within 16 GB, and the memory that the plan told.

#include "base/rng.h"
#include "batch/compose.h"
#include "model/model.h"
#include "plan/memory.h"
#include "recipe/recipe.h"
#include "run/run_log.h"
#include "tests/support.h"
#include "tests/tiny_model.h"
#include "train/stage_trainer.h"

#include <cmath>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

namespace sightline {
namespace {

ModelConfig full_scale() {
  ModelConfig config;
  config.vision = VisionConfig{.kind = VisionKind::siglip,
                               .hidden_size = 1152,
                               .num_hidden_layers = 27,
                               .num_attention_heads = 16,
                               .intermediate_size = 4304,
                               .image_size = 384,
                               .patch_size = 14,
                               .layer_norm_eps = 1e-6};
  config.language = LanguageConfig{.kind = LanguageKind::qwen2,
                                   .vocab_size = 151936,
                                   .hidden_size = 896,
                                   .num_hidden_layers = 24,
                                   .num_attention_heads = 14,
                                   .num_key_value_heads = 2,
                                   .head_dim = 64,
                                   .intermediate_size = 4864,
                                   .max_position_embeddings = 32768,
                                   .rope_theta = 1e6};
  config.connector = {.kind = ConnectorKind::mlp, .factor = 1};
  return config;
}

Bundle bundle_of(const ModelConfig& config) {
  ParamMap params;
  for (const auto& [name, shape] : parameter_shapes(config)) {
    params.add(name, random_parameter(name, shape, 1).to(at::kBFloat16));
  }
  Bundle bundle;
  bundle.model = std::make_unique<Model>(config, std::move(params));
  return bundle;
}

// Two pictures, each with a question and an answer.
LoadedStep step_of(const ModelConfig& config) {
  Rng rng(2);
  std::vector<Sample> samples(2);
  std::vector<const Sample*> pointers;
  for (Sample& sample : samples) {
    sample.where = "made";
    sample.images.push_back({.path = "made"});
    sample.conversations.push_back(
        test::tiny_rows(rng, 1, config.rows_per_image(), 12, 24, config.language->vocab_size));
    pointers.push_back(&sample);
  }
  LoadedStep step;
  Batch& batch = step.micro_batches.emplace_back(
      compose(pointers, {.rows_per_image = config.rows_per_image()}));
  const int64_t side = config.vision->image_size;
  batch.pixels.resize(static_cast<size_t>(2 * 3 * side * side));
  for (float& pixel : batch.pixels) pixel = static_cast<float>(rng.normal());
  step.num_predictions = batch.num_predictions();
  step.num_rows = batch.rows();
  step.num_images = 2;
  step.num_samples = 2;
  step.progress_after = 0.5;
  return step;
}

// What `sightline plan` counts for this stage, and the program by itself.
double planned_bytes(const StageRecipe& stage, const Batch& batch, double program) {
  const ModelConfig config = full_scale();
  const Recipe recipe{.numbers = NumberType::bf16};
  const ActivationCounter counter(config, stage, NumberType::bf16, kFromPixels);
  const Memory memory = memory_of({.config = config,
                                   .recipe = recipe,
                                   .stage = stage,
                                   .depth = kFromPixels,
                                   .largest = counter.of(work_of(batch))});
  return program + memory.training();
}

double available_gib() {
  std::ifstream file("/proc/meminfo");
  std::string key, unit;
  double kib = 0;
  while (file >> key >> kib >> unit) {
    if (key == "MemAvailable:") return kib / (1 << 20);
  }
  return 0;
}

TEST(SlowFullScale, AStepOfAllParametersTakesLessThan16Gb) {
  if (available_gib() < 16) GTEST_SKIP() << "needs 16 GiB of free memory";
  std::ofstream("/proc/self/clear_refs") << "5";  // the peak counts from here
  const double program = memory_use().now_mib * 1048576;
  Bundle bundle = bundle_of(full_scale());
  EXPECT_NEAR(static_cast<double>(bundle.model->params().num_elements()) / 1e9, 0.909, 0.02);
  StageRecipe stage;
  stage.name = "all";
  stage.train = {"vision", "connector", "language"};
  stage.checkpoint_activations = true;
  StageTrainer trainer(bundle, stage, {.depth = kFromPixels});
  const LoadedStep step = step_of(full_scale());
  const StepReport report = trainer.step(step, 0);
  EXPECT_NEAR(report.loss, std::log(151936.0), 2.0);  // of random weights
  EXPECT_GT(report.gradient.all, 0);
  const double peak_gb = memory_use().peak_mib * 1.048576e-3;
  RecordProperty("peak_gb", std::to_string(peak_gb));
  printf("peak of resident memory: %.2f GB\n", peak_gb);
  EXPECT_LT(peak_gb, 16.0);
  const double planned_gb = 1e-9 * planned_bytes(stage, step.micro_batches.front(), program);
  printf("planned: %.2f GB, %.3f of it\n", planned_gb, planned_gb / peak_gb);
  EXPECT_NEAR(planned_gb / peak_gb, 1, 0.1);
}

}  // namespace
}  // namespace sightline
