#include "run/card.h"

#include "recipe/names.h"

#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace sightline {

namespace {

std::string stage_text(const StageRecipe& stage) {
  std::string text =
      fmt::format("- `{}` trained `{}` on", stage.name, fmt::join(stage.train, "` `"));
  for (const MixtureEntry& entry : stage.mixture) text += fmt::format(" `{}`", entry.data);
  if (stage.ema > 0) text += fmt::format("; its weights are averaged ({})", stage.ema);
  return text + "\n";
}

std::string history_text(std::span<const Origin> history) {
  std::string text;
  for (const Origin& origin : history) {
    text +=
        fmt::format("\nThe stages `{}` (up to step {}) are those of `{}`; begun again at `{}`.\n",
                    fmt::join(origin.stages, "`, `"), origin.step, origin.run, origin.begun_again);
  }
  return text;
}

std::string data_text(const std::string& name, const DataRecipe& data) {
  const std::string source = data.annotations.empty()
                                 ? "generated scenes"
                                 : std::filesystem::path(data.annotations).filename().string();
  return fmt::format("- `{}`: {}\n", name, source);
}

}  // namespace

std::string model_card(const Recipe& recipe, MaskPolicy mask, int64_t steps,
                       std::span<const Origin> history) {
  std::string text = fmt::format("# {}\n\nA Sightline model. Mask `{}`, trained for {} steps.\n\n",
                                 recipe.name, enum_name(mask), steps);
  text += "## Stages\n\n";
  for (const StageRecipe& stage : recipe.stages) text += stage_text(stage);
  text += history_text(history);
  text += "\n## Data\n\nThe data keep their owners' terms.\n\n";
  for (const auto& [name, data] : recipe.data) text += data_text(name, data);
  return text + "\nThe whole recipe is `recipe.toml`.\n";
}

}  // namespace sightline
