#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace sightline {

double schedule_factor(const StageRecipe& stage, double progress_before, double progress_after) {
  if (progress_before < stage.warmup) return std::min(1.0, progress_after / stage.warmup);
  if (stage.schedule == Schedule::constant) return 1.0;
  const double share = (progress_before - stage.warmup) / std::max(1e-12, 1.0 - stage.warmup);
  const double cosine = 0.5 * (1.0 + std::cos(std::numbers::pi * std::min(1.0, share)));
  return stage.final_lr + (1.0 - stage.final_lr) * cosine;
}

double peak_rate(const ByPart& rates, std::string_view parameter_name) {
  if (parameter_name.starts_with("vision.")) return rates.vision.value_or(rates.base);
  if (parameter_name.starts_with("connector.")) return rates.connector.value_or(rates.base);
  if (parameter_name.starts_with("language.")) return rates.language.value_or(rates.base);
  return rates.base;
}

}  // namespace sightline
