// sightline demo: the four stages on generated scenes, then what the model makes of scenes that it
// never saw, beside the same model blind.

#include "base/error.h"
#include "base/log.h"
#include "bundle/bundle.h"
#include "cli/commands.h"
#include "evaluate/result.h"
#include "evaluate/task.h"
#include "recipe/parse.h"
#include "run/run.h"
#include "tensor/device.h"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace sightline {
namespace {

namespace fs = std::filesystem;

struct DemoArguments {
  std::string recipe = "recipes/demo.toml";
  std::string output = "runs/demo";
  std::vector<std::string> settings;
};

// Real and blind, scored alike and written beside each other.
std::vector<TaskResult> score(const Bundle& bundle, const Recipe& recipe, const std::string& task) {
  std::vector<TaskResult> results;
  for (const Pictures pictures : {Pictures::blank, Pictures::real}) {
    results.push_back(run_task(bundle, recipe.tasks.at(task), recipe, {.pictures = pictures}));
  }
  return results;
}

void show_samples(const TaskResult& captions, const TaskResult& answers) {
  fmt::print(
      "\nScenes never seen, each with a combination of size, colour and shape never seen:\n\n");
  for (size_t i = 0; i < 8 && i < captions.predictions.size(); ++i) {
    const Prediction& each = captions.predictions[i];
    fmt::print("  model  {}\n  truth  {}\n\n", each.text, each.references.front());
  }
  for (size_t i = 0; i < 12 && i < answers.predictions.size(); ++i) {
    const Prediction& each = answers.predictions[i];
    fmt::print("  {:<58} {:<8} (truth: {})\n", each.prompt + "?", each.text,
               each.references.front());
  }
}

void demo(const DemoArguments& arguments) {
  const double started = seconds_now();
  const Recipe recipe = read_recipe(arguments.recipe, arguments.settings);
  // A demo is a show: what an earlier one left is made anew.
  std::error_code ignored;
  fs::remove_all(arguments.output, ignored);
  const at::Device device = compute_device(recipe.device);
  run_recipe(recipe, {.folder = arguments.output, .device = device});
  log("the four stages took {}", format_duration(seconds_now() - started));

  const Bundle bundle = load_bundle(fs::path(arguments.output) / "model", at::kFloat);
  bundle.model->move_to(device);
  const auto captions = score(bundle, recipe, "captions");
  const auto questions = score(bundle, recipe, "questions");
  write_results(captions, fs::path(arguments.output) / "captions");
  write_results(questions, fs::path(arguments.output) / "questions");
  show_samples(captions.back(), questions.back());
  fmt::print("\n{}\n{}\n", table_of(captions, TableStyle::text),
             table_of(questions, TableStyle::text));
  fmt::print(
      "The model is {}. Try:\n\n  build/release/sightline data scenes --output runs/scenes --count "
      "4\n"
      "  build/release/sightline caption {} runs/scenes\n",
      arguments.output + "/model", arguments.output + "/model");
}

}  // namespace

void add_demo_command(CLI::App& app) {
  const auto arguments = std::make_shared<DemoArguments>();
  CLI::App* command =
      app.add_subcommand("demo", "Train on generated scenes and show what the model sees.");
  command->footer(
      "Example:\n  sightline demo"
      "\n\nFour stages, some minutes on two cores; then what the model makes of scenes that "
      "it never\nsaw, beside itself blind.");
  command->add_option("--recipe", arguments->recipe, "the recipe (default recipes/demo.toml)");
  command->add_option("--output", arguments->output,
                      "the run folder, made anew (default runs/demo)");
  command
      ->add_option("--set", arguments->settings, "KEY=VALUE put into the recipe; may be repeated")
      ->take_all();
  command->callback([arguments] { demo(*arguments); });
}

}  // namespace sightline
