#include "train/schedule.h"

#include "recipe/trainable.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace sightline {

namespace {

// What is left of the way from the peak to final_lr: 1 where the decay begins, 0 at the end.
double left_of_decay(const StageRecipe& stage, double progress) {
  const double begin = stage.schedule == Schedule::wsd
                           ? std::max(stage.warmup, 1.0 - stage.decay_share)
                           : stage.warmup;
  const double share = std::clamp((progress - begin) / std::max(1e-12, 1.0 - begin), 0.0, 1.0);
  if (stage.schedule == Schedule::cosine) return 0.5 * (1.0 + std::cos(std::numbers::pi * share));
  return 1.0 - share;
}

}  // namespace

double schedule_factor(const StageRecipe& stage, double progress_before, double progress_after) {
  if (progress_before < stage.warmup) return std::min(1.0, progress_after / stage.warmup);
  if (stage.schedule == Schedule::constant) return 1.0;
  return stage.final_lr + (1.0 - stage.final_lr) * left_of_decay(stage, progress_before);
}

double of_part(const ByPart& numbers, std::string_view parameter_name) {
  if (parameter_name.starts_with("vision.")) return numbers.vision.value_or(numbers.base);
  if (parameter_name.starts_with("connector.")) return numbers.connector.value_or(numbers.base);
  if (parameter_name.starts_with("language.")) return numbers.language.value_or(numbers.base);
  return numbers.base;
}

double layer_share(double layer_decay, std::string_view parameter_name, int64_t layers) {
  const Location location = location_of(parameter_name);
  if (location.section == "embeddings") return std::pow(layer_decay, layers);
  if (location.section == "layers") return std::pow(layer_decay, layers - 1 - location.layer);
  return 1.0;
}

}  // namespace sightline
