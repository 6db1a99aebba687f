// sightline train: a whole recipe, from its parts to a model folder.

#include "cli/commands.h"
#include "recipe/parse.h"
#include "run/begin_again.h"
#include "run/run.h"

#include <filesystem>
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
  std::string from_stage;
  std::string from_run;
};

std::string default_run(const Recipe& recipe) { return "runs/" + recipe.name; }

std::filesystem::path run_folder(const TrainArguments& arguments, const Recipe& recipe) {
  if (!arguments.output.empty()) return arguments.output;
  if (arguments.from_stage.empty()) return default_run(recipe);
  return default_run(recipe) + "-from-" + arguments.from_stage;
}

void train(const TrainArguments& arguments) {
  const Recipe recipe = read_recipe(arguments.recipe, arguments.settings);
  const std::filesystem::path folder = run_folder(arguments, recipe);
  Resume resume = arguments.resume ? Resume::yes : Resume::no;
  const bool begun = arguments.resume && std::filesystem::exists(folder / "recipe.toml");
  if (!arguments.from_stage.empty() && !begun) {
    const std::string run = arguments.from_run.empty() ? default_run(recipe) : arguments.from_run;
    begin_again(recipe, {.run = run, .stage = arguments.from_stage}, folder);
    resume = Resume::yes;
  }
  run_recipe(recipe, {.folder = folder, .resume = resume});
}

}  // namespace

void add_train_command(CLI::App& app) {
  const auto arguments = std::make_shared<TrainArguments>();
  CLI::App* command = app.add_subcommand(
      "train", "Train what a recipe says, stage by stage, and write a model folder.");
  command->footer(
      "Example:\n  sightline train recipes/flickr8k.toml --set stage.align.lr=2e-3"
      "\n  sightline train recipes/flickr8k.toml --from-stage pretrain --set stage.pretrain.lr=1e-4"
      "\n\nStopped at any instant, the same command with --resume goes on to the bit.");
  command->add_option("recipe", arguments->recipe, "the recipe (TOML; docs/recipe.md)")->required();
  command->add_option("--output", arguments->output, "the run folder (default runs/<name>)");
  command
      ->add_option("--set", arguments->settings, "KEY=VALUE put into the recipe; may be repeated")
      ->take_all();
  command->add_flag("--resume", arguments->resume,
                    "go on from the newest checkpoint of the run folder");
  CLI::Option* from_stage = command->add_option(
      "--from-stage", arguments->from_stage,
      "begin again at this stage, changed or new, from where an earlier run's stage before it "
      "ended; the run folder is then runs/<name>-from-<stage> unless --output says otherwise");
  command
      ->add_option("--from-run", arguments->from_run,
                   "that earlier run's folder (default runs/<name>); it stays as it is")
      ->needs(from_stage);
  command->callback([arguments] { train(*arguments); });
}

}  // namespace sightline
