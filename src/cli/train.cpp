// sightline train: a whole recipe, from its parts to a model folder.

#include "cli/commands.h"
#include "recipe/parse.h"
#include "run/run.h"

#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace sightline {
namespace {

struct TrainArguments {
  std::string recipe;
  std::string output;
  std::vector<std::string> settings;
  bool resume = false;
};

void train(const TrainArguments& arguments) {
  const Recipe recipe = read_recipe(arguments.recipe, arguments.settings);
  run_recipe(recipe, {.folder = arguments.output.empty() ? "runs/" + recipe.name : arguments.output,
                      .resume = arguments.resume ? Resume::yes : Resume::no});
}

}  // namespace

void add_train_command(CLI::App& app) {
  const auto arguments = std::make_shared<TrainArguments>();
  CLI::App* command = app.add_subcommand(
      "train", "Train what a recipe says, stage by stage, and write a model folder.");
  command->footer(
      "Example:\n  sightline train recipes/flickr8k.toml --set stage.align.lr=2e-3"
      "\n\nStopped at any instant, the same command with --resume goes on to the bit.");
  command->add_option("recipe", arguments->recipe, "the recipe (TOML; docs/recipe.md)")->required();
  command->add_option("--output", arguments->output, "the run folder (default runs/<name>)");
  command
      ->add_option("--set", arguments->settings, "KEY=VALUE put into the recipe; may be repeated")
      ->take_all();
  command->add_flag("--resume", arguments->resume,
                    "go on from the newest checkpoint of the run folder");
  command->callback([arguments] { train(*arguments); });
}

}  // namespace sightline
