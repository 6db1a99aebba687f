#include "plan/probe.h"

#include "base/error.h"
#include "base/log.h"
#include "base/machine.h"
#include "features/fill.h"
#include "image/augment.h"
#include "image/decode.h"
#include "image/processor.h"
#include "train/reconstruct.h"
#include "train/stage_data.h"
#include "train/stage_trainer.h"

#include <algorithm>
#include <ctime>
#include <span>

#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

namespace sightline {

namespace {

constexpr double kShareOfFree = 0.7;
constexpr size_t kPictures = 16;
constexpr double kEnoughSeconds = 4;  // of timed steps

at::ScalarType dtype_of(NumberType numbers) {
  return numbers == NumberType::bf16 ? at::kBFloat16 : at::kFloat;
}

// Norms one, biases zero, all else small: every number stays a usual one.
at::Tensor some_weights(const std::string& name, const std::vector<int64_t>& shape) {
  if (name.ends_with(".bias")) return at::zeros(shape, at::kFloat);
  if (name.find("norm") != std::string::npos) return at::ones(shape, at::kFloat);
  return at::empty(shape, at::kFloat).normal_(0, 0.02);
}

Bundle random_bundle(const ModelConfig& config, const StageRecipe& stage, NumberType numbers) {
  const c10::NoGradGuard no_grad;
  ParamMap params;
  for (const auto& [name, shape] : parameter_shapes(config)) {
    params.add(name, some_weights(name, shape).to(dtype_of(numbers)));
  }
  Bundle bundle;
  bundle.model = std::make_unique<Model>(config, std::move(params));
  if (stage.objective == Objective::reconstruct) add_reconstruct_parameters(*bundle.model, 0);
  return bundle;
}

// Pictures that are all alike: what a product takes does not depend on it.
void fill_images(Batch& batch, const VisionConfig& vision, int64_t depth) {
  const auto images = static_cast<size_t>(batch.num_images());
  if (depth == kFromPixels) {
    const auto side = static_cast<size_t>(vision.image_size);
    batch.pixels.assign(images * 3 * side * side, 0.5f);
    return;
  }
  const bool finished = depth > vision.num_hidden_layers;
  const int64_t tokens = vision.num_patches() + (finished ? 0 : vision.class_tokens());
  constexpr uint16_t kHalf = 0x3f00;  // 0.5 in bf16
  batch.features.assign(images * static_cast<size_t>(tokens * vision.hidden_size), kHalf);
}

class StageProbe {
 public:
  StageProbe(const StageRecipe& stage, const RecipePlan& plan, const StagePlan& planned,
             const ProbeLimits& limits)
      : stage_(stage),
        config_(plan.config),
        planned_(planned),
        limits_(limits),
        depth_(stored_depth(stage, plan.config)),
        counter_(plan.config, stage, depth_) {}

  // As many micro-batches of a step as the time allows; none where it allows none.
  LoadedStep step_of(const LoadedStep& read) const {
    LoadedStep step;
    double seconds = 0;
    for (const Batch& packed : read.micro_batches) {
      seconds += counter_.of(work_of(packed)).total() / limits_.product_rate;
      if (seconds > limits_.seconds) break;
      Batch& batch = step.micro_batches.emplace_back(packed);
      if (planned_.assumed) {  // its tokens are of a vocabulary of their own
        for (int32_t& token : batch.tokens_T) token = token == kImageRow ? kImageRow : 1;
        for (int32_t& token : batch.targets_S) token = 1;
      }
      if (batch.num_images() > 0 && config_.vision) fill_images(batch, *config_.vision, depth_);
      step.num_predictions +=
          stage_.objective == Objective::reconstruct ? batch.num_images() : batch.num_predictions();
    }
    step.progress_before = step.progress_after = 0.5;
    return step;
  }

  // The first step sets up; the others, each of new shapes as in training, are measured until their
  // time tells enough. Their median, for a machine that is shared stumbles now and then.
  double flops_per_second(const Recipe& recipe) const {
    Bundle bundle = random_bundle(config_, stage_, recipe.numbers);
    StageTrainer trainer(bundle, stage_, {.depth = depth_, .side_by_side = recipe.side_by_side});
    const std::vector<LoadedStep>& steps = planned_.work.first;
    trainer.step(step_of(steps.front()), 0);
    std::vector<double> rates;
    double seconds = 0;
    for (size_t i = 1; i == 1 || (i < steps.size() && seconds < kEnoughSeconds); ++i) {
      const LoadedStep step = step_of(steps[std::min(i, steps.size() - 1)]);
      double flops = counter_.optimizer_step();
      for (const Batch& batch : step.micro_batches) flops += counter_.of(work_of(batch)).total();
      const double began = seconds_now();
      trainer.step(step, static_cast<int64_t>(i));
      const double took = seconds_now() - began;
      rates.push_back(flops / took);
      seconds += took;
    }
    std::ranges::nth_element(rates, rates.begin() + std::ssize(rates) / 2);
    return rates[rates.size() / 2];
  }

  // In batches as the store is filled, or smaller ones where these take long.
  double feature_seconds(NumberType numbers) const {
    if (planned_.features.computed == 0) return 0;
    const c10::NoGradGuard no_grad;
    const VisionConfig& vision = *config_.vision;
    const double flops = stored_features_flops(vision, planned_.features.depth);
    const auto batch =
        static_cast<int64_t>(std::clamp(limits_.seconds / 4 * limits_.product_rate / flops, 1.0,
                                        static_cast<double>(FillOptions().batch)));
    const Bundle bundle = random_bundle(config_, stage_, numbers);
    const at::Tensor pixels =
        at::ones({batch, 3, vision.image_size, vision.image_size}, at::kFloat);
    bundle.model->vision().below(pixels, planned_.features.depth);
    const double start = seconds_now();
    bundle.model->vision().below(pixels, planned_.features.depth);
    return (seconds_now() - start) / static_cast<double>(batch);
  }

 private:
  const StageRecipe& stage_;
  const ModelConfig& config_;
  const StagePlan& planned_;
  const ProbeLimits& limits_;
  int64_t depth_;
  FlopCounter counter_;
};

double thread_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// Read, decoded, changed as the data's recipe says, resized and normalised, as the loader does it.
void open_picture(const ImageSource& source, const AugmentRecipe& change, int64_t side) {
  const std::string bytes = read_image_bytes(source);
  Image image = decode_image(std::as_bytes(std::span(bytes)), source.name());
  if (change.any()) {
    Rng rng(1);
    const AugmentOptions options{change.crop, change.flip, change.colour};
    image = augment(image, draw_augmentation(options, image.width, image.height, rng));
  }
  const Processor processor{.size = static_cast<int>(side)};
  std::vector<float> values(static_cast<size_t>(3 * side * side));
  normalise(processor, apply(processor, image), values);
}

// The mean of some that can be read.
double picture_seconds(const Recipe& recipe, const StageRecipe& stage, const StagePlan& planned,
                       const ModelConfig& config) {
  if (planned.assumed || !config.vision) return 0;
  const AugmentRecipe& change = recipe.data.at(stage.mixture.front().data).augment;
  double seconds = 0, opened = 0;
  for (const LoadedStep& step : planned.work.first) {
    for (const Batch& batch : step.micro_batches) {
      for (const ImageSource& image : batch.images) {
        if (opened >= kPictures) return seconds / opened;
        const double start = thread_seconds();
        try {
          open_picture(image, change, config.vision->image_size);
        } catch (const Error&) {
          continue;  // the loader's to tell
        }
        seconds += thread_seconds() - start;
        opened += 1;
      }
    }
  }
  return opened > 0 ? seconds / opened : 0;
}

}  // namespace

std::optional<Probe> probe_stage(const Recipe& recipe, const StageRecipe& stage,
                                 const RecipePlan& plan, const StagePlan& planned,
                                 const ProbeLimits& limits) {
  const double free = kShareOfFree * static_cast<double>(this_machine().free_memory);
  if (planned.memory.training() > free) return std::nullopt;
  const StageProbe probe(stage, plan, planned, limits);
  if (probe.step_of(planned.work.first.front()).micro_batches.empty()) return std::nullopt;
  return Probe{.flops_per_second = probe.flops_per_second(recipe),
               .feature_seconds = probe.feature_seconds(recipe.numbers),
               .picture_seconds = picture_seconds(recipe, stage, planned, plan.config)};
}

StageTime probed_time(const StagePlan& stage, const Probe& probe, double cores) {
  const StageWork& work = stage.work;
  StageTime time;
  time.steps = work.flops_in_all() / probe.flops_per_second;
  // The store is filled picture by picture: opened on one core, then computed on all.
  const auto stored = static_cast<double>(stage.features.computed);
  time.features = stored * (probe.picture_seconds + probe.feature_seconds);
  // Pictures that are stored are not opened again.
  const bool opens = stage.features.depth == 0;
  const double opening = opens ? work.images * probe.picture_seconds : 0;
  time.reading = (work.reading_seconds + opening) / cores;
  return time;
}

}  // namespace sightline
