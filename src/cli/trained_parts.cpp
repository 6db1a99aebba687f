#include "cli/trained_parts.h"

#include "recipe/names.h"
#include "recipe/parse.h"
#include "recipe/trainable.h"
#include "report/table.h"
#include "train/stage_trainer.h"

#include <functional>
#include <numeric>

#include <fmt/format.h>

namespace sightline {

namespace {

int64_t size_of(const std::vector<int64_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

TrainedPart& part_of(std::vector<TrainedPart>& parts, const std::string& name, size_t stages) {
  const std::string part = name.substr(0, name.find('.'));
  const std::string section(location_of(name).section);
  for (TrainedPart& each : parts) {
    if (each.part == part && each.section == section) return each;
  }
  parts.push_back({.part = part, .section = section, .trained = std::vector<int64_t>(stages)});
  return parts.back();
}

std::string cell_of(int64_t trained) { return trained == 0 ? "frozen" : grouped(trained); }

std::vector<std::string> sum_line(const std::string& what, const std::vector<TrainedPart>& parts,
                                  const auto& number) {
  const size_t stages = parts.front().trained.size();
  std::vector<std::string> line = {what, ""};
  for (size_t s = 0; s < stages; ++s) {
    int64_t sum = 0;
    for (const TrainedPart& part : parts) sum += number(part, s);
    line.push_back(grouped(sum));
  }
  return line;
}

}  // namespace

std::vector<TrainedPart> trained_parts(const Recipe& recipe, const ModelConfig& config) {
  std::vector<Trainable> trains;
  for (const StageRecipe& stage : recipe.stages) trains.push_back(trainable_of(stage, config));
  std::vector<TrainedPart> parts;
  for (const auto& [name, shape] : parameter_shapes(config)) {
    TrainedPart& part = part_of(parts, name, trains.size());
    part.parameters += size_of(shape);
    for (size_t s = 0; s < trains.size(); ++s) {
      if (trains[s](name)) part.trained[s] += size_of(shape);
    }
  }
  return parts;
}

std::string recipe_text(const Recipe& recipe, const ModelConfig& config) {
  const std::vector<TrainedPart> parts = trained_parts(recipe, config);
  int64_t all = 0;
  for (const TrainedPart& part : parts) all += part.parameters;
  std::vector<std::vector<std::string>> table = {{"part", "parameters"}};
  std::vector<std::string> masks = {"mask", ""};
  for (const StageRecipe& stage : recipe.stages) {
    table.front().push_back(stage.name);
    masks.emplace_back(enum_name(stage.mask.value_or(recipe.model.mask)));
  }
  for (const TrainedPart& part : parts) {
    const std::string name = part.section.empty() ? part.part : part.part + "." + part.section;
    auto& line = table.emplace_back(std::vector<std::string>{name, grouped(part.parameters)});
    for (const int64_t trained : part.trained) line.push_back(cell_of(trained));
  }
  table.push_back(sum_line("trained", parts,
                           [](const TrainedPart& part, size_t s) { return part.trained[s]; }));
  table.push_back(sum_line("frozen", parts, [](const TrainedPart& part, size_t s) {
    return part.parameters - part.trained[s];
  }));
  table.push_back(masks);
  return fmt::format("# {}: {} parameters, {} rows a picture. What each stage trains:\n#\n{}\n{}",
                     recipe.name, grouped(all), config.rows_per_image(), table_text(table, "# "),
                     print_recipe(recipe));
}

}  // namespace sightline
