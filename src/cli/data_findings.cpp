#include "cli/data_findings.h"

#include "base/log.h"
#include "data/split_long.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace sightline {
namespace {

std::set<std::string> trained_on(const Recipe& recipe) {
  std::set<std::string> names;
  for (const StageRecipe& stage : recipe.stages) {
    for (const MixtureEntry& entry : stage.mixture) names.insert(entry.data);
  }
  return names;
}

std::set<std::string> judged_by(const Recipe& recipe) {
  std::set<std::string> names;
  for (const auto& [name, task] : recipe.tasks) names.insert(task.data);
  if (!recipe.eval.validation.empty()) names.insert(recipe.eval.validation);
  return names;
}

// Of the stages that train on the table, the tightest; 0 where none does.
int64_t micro_tokens_for(const Recipe& recipe, const std::string& name) {
  int64_t least = 0;
  for (const StageRecipe& stage : recipe.stages) {
    const bool uses = std::ranges::any_of(
        stage.mixture, [&](const MixtureEntry& entry) { return entry.data == name; });
    if (uses) least = tighter(least, stage.micro_tokens);
  }
  return least;
}

// All bad samples are wanted, not the first alone.
DataRecipe skipping(DataRecipe data) {
  data.on_bad_sample = OnBadSample::skip;
  return data;
}

TableCheck check_data(const Recipe& recipe, const std::string& name, const InputForm& form,
                      CheckOptions options) {
  std::optional<SampleEncoder> encoder;
  if (form.prompt_template) encoder.emplace(*form.prompt_template, form.rows_per_image);
  if (encoder) options.encoder = &*encoder;
  options.bounds.sample = micro_tokens_for(recipe, name);
  const auto dataset = encoder ? open_as_trained(recipe, name, form, *encoder)
                               : open_dataset(name, skipping(recipe.data.at(name)));
  Progress progress;
  options.progress = [&](size_t seen) {
    progress.update(fmt::format("{}: {} of {} samples", name, seen, dataset->size()));
  };
  TableCheck table = check_table(name, *dataset, options);
  progress.finish();
  return table;
}

}  // namespace

std::unique_ptr<Dataset> open_as_trained(const Recipe& recipe, const std::string& name,
                                         const InputForm& form, const SampleEncoder& encoder) {
  const DataRecipe data = skipping(recipe.data.at(name));
  auto dataset = open_dataset(name, data);
  if (data.too_long != TooLong::split) return dataset;
  return split_long(std::move(dataset), encoder,
                    tighter(form.max_rows, micro_tokens_for(recipe, name)));
}

int64_t Findings::bad() const {
  int64_t sum = 0;
  for (const TableCheck& table : tables) sum += table.bad();
  return sum;
}

int64_t Findings::leaks() const {
  return std::ranges::count_if(overlaps, &Overlap::is_leak) +
         static_cast<int64_t>(trained_and_judged.size());
}

Findings findings_in(const Recipe& recipe, int64_t workers) {
  const InputForm form = input_form_of(recipe.model);
  const CheckOptions options{
      .compose = {.policy = recipe.model.mask, .rows_per_image = form.rows_per_image},
      .bounds = {.conversation = form.max_rows},
      .workers = workers};
  Findings findings;
  for (const auto& [name, data] : recipe.data) {
    findings.tables.push_back(check_data(recipe, name, form, options));
  }
  const auto trained = trained_on(recipe), judged = judged_by(recipe);
  std::ranges::set_intersection(
      trained, judged,
      std::inserter(findings.trained_and_judged, findings.trained_and_judged.end()));
  for (size_t i = 0; i < findings.tables.size(); ++i) {
    for (size_t k = i + 1; k < findings.tables.size(); ++k) {
      const TableCheck *a = &findings.tables[i], *b = &findings.tables[k];
      auto pictures = shared_by(*a, *b);
      if (pictures.empty()) continue;
      const bool is_leak = (trained.contains(a->name) && judged.contains(b->name)) ||
                           (trained.contains(b->name) && judged.contains(a->name));
      findings.overlaps.push_back({a, b, std::move(pictures), is_leak});
    }
  }
  return findings;
}

}  // namespace sightline
