// sightline evaluate MODEL TASK

#include "base/error.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/model_options.h"
#include "evaluate/baselines.h"
#include "evaluate/result.h"
#include "recipe/parse.h"

#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace sightline {
namespace {

struct EvaluateOptions {
  ModelOptions model;
  DecodingFlags decoding;
  std::string task, recipe, output;
  std::vector<std::string> settings;
  int64_t limit = 0;
  bool baselines = false;
  bool json = false;
};

Recipe recipe_for(const EvaluateOptions& options, const Bundle& bundle) {
  if (!options.recipe.empty()) return read_recipe(options.recipe, options.settings);
  const std::string name = (std::filesystem::path(options.model.folder) / "recipe.toml").string();
  if (bundle.recipe.empty()) {
    fail_usage("{} is not there, so the model names no tasks: give --recipe FILE", name);
  }
  // The task's own data are looked for when they are opened; the others need not be there.
  return parse_recipe(bundle.recipe, name, options.settings, PathCheck::later);
}

TaskRecipe task_for(const EvaluateOptions& options, const Recipe& recipe) {
  const auto found = recipe.tasks.find(options.task);
  if (found != recipe.tasks.end()) return found->second;
  std::string names;
  for (const auto& [name, task] : recipe.tasks) names += (names.empty() ? "" : ", ") + name;
  fail_usage("the recipe has no [task.{}]; its tasks: {}", options.task,
             names.empty() ? "none" : names);
}

std::filesystem::path output_for(const EvaluateOptions& options, const Recipe& recipe) {
  if (!options.output.empty()) return options.output;
  return std::filesystem::path("runs/evaluate") / recipe.name / options.task;
}

void run_evaluate(const EvaluateOptions& options) {
  const Bundle bundle = load_model(options.model);
  const Recipe recipe = recipe_for(options, bundle);
  TaskRecipe task = task_for(options, recipe);
  apply(options.decoding, task.decoding);
  if (!options.baselines) task.baselines.clear();
  const std::filesystem::path output = output_for(options, recipe);
  check_result_folder(output);
  const std::vector<TaskResult> results =
      run_with_baselines(bundle, task, recipe, {.limit = options.limit});
  write_results(results, output);
  if (options.json) {
    fmt::print("{}\n", scores_json(results).dump(2));
  } else {
    fmt::print("{}", table_of(results, TableStyle::text));
  }
  log("written to {}", output.string());
}

}  // namespace

void add_evaluate_command(CLI::App& app) {
  auto options = std::make_shared<EvaluateOptions>();
  CLI::App* command = app.add_subcommand("evaluate", "Score a model on a task of its recipe.");
  command->footer(
      "Example:\n  sightline evaluate runs/flickr8k/model flickr8k-dev --baselines"
      "\n\nPrints a table and writes predictions.json, scores.json and the table.");
  add_model_options(*command, options->model);
  command->add_option("TASK", options->task, "the name of a [task.*] table")->required();
  command->add_option("--recipe", options->recipe, "take the task from this recipe file");
  command->add_option("--set", options->settings, "KEY=VALUE: change the recipe, as in train")
      ->take_all()
      ->expected(1);
  command->add_option("--limit", options->limit, "only the first N examples")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 40));
  command->add_option("--output", options->output,
                      "folder to write (default runs/evaluate/RECIPE/TASK)");
  command->add_flag("--baselines", options->baselines, "the task's baselines too");
  command->add_flag("--json", options->json, "print the scores as JSON");
  add_decoding_flags(*command, options->decoding);
  command->callback([options] { run_evaluate(*options); });
}

}  // namespace sightline
