// sightline train: a whole recipe, from its parts to a model folder.

#include "cli/commands.h"
#include "dist/world.h"
#include "recipe/parse.h"
#include "run/begin_again.h"
#include "run/run.h"
#include "tensor/device.h"

#include <chrono>
#include <exception>
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
  int64_t rank_timeout = 300, zero = 0;
  std::string sums = "memory";
};

std::string default_run(const Recipe& recipe) { return "runs/" + recipe.name; }

std::filesystem::path run_folder(const TrainArguments& arguments, const Recipe& recipe) {
  if (!arguments.output.empty()) return arguments.output;
  if (arguments.from_stage.empty()) return default_run(recipe);
  return default_run(recipe) + "-from-" + arguments.from_stage;
}

// Whether the run folder holds a run that goes on.
Resume begin(const TrainArguments& arguments, const Recipe& recipe,
             const std::filesystem::path& folder) {
  const bool begun = arguments.resume && std::filesystem::exists(folder / "recipe.toml");
  if (arguments.from_stage.empty() || begun) return arguments.resume ? Resume::yes : Resume::no;
  const std::string run = arguments.from_run.empty() ? default_run(recipe) : arguments.from_run;
  begin_again(recipe, {.run = run, .stage = arguments.from_stage}, folder);
  return Resume::yes;
}

void train_on(World& world, const TrainArguments& arguments, const Recipe& recipe,
              at::Device device) {
  const std::filesystem::path folder = run_folder(arguments, recipe);
  const std::string resume = world.first_does("looking for a run to go on with", [&] {
    return std::string(begin(arguments, recipe, folder) == Resume::yes ? "yes" : "no");
  });
  run_recipe(recipe, {.folder = folder,
                      .resume = resume == "yes" ? Resume::yes : Resume::no,
                      .world = &world,
                      .sharding = static_cast<Sharding>(arguments.zero),
                      .device = device});
  world.barrier("ending the run");
}

void train(const TrainArguments& arguments) {
  const Recipe recipe = read_recipe(arguments.recipe, arguments.settings);
  const std::chrono::seconds timeout(arguments.rank_timeout);
  const Place place = read_place();
  const at::Device device = compute_device(recipe.device, place.local_rank);
  World world(place, {.patience = timeout,
                      .silence = timeout,
                      .device = device,
                      .neighbours = arguments.sums == "memory" ? Neighbours::in_memory
                                                               : Neighbours::by_sockets});
  try {
    train_on(world, arguments, recipe, device);
  } catch (const std::exception& error) {
    world.tell_failure(error.what());
    throw;
  }
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
  command
      ->add_option("--rank-timeout", arguments->rank_timeout,
                   "of several ranks: seconds that one may be silent before all give up")
      ->check(CLI::Range(1, 7 * 24 * 3600))
      ->capture_default_str();
  command
      ->add_option("--zero", arguments->zero,
                   "of several ranks, what each holds a share of: 1 the optimizer's state and fp32 "
                   "masters, 2 the sums of gradients too (docs/ranks.md)")
      ->check(CLI::Range(0, 2))
      ->capture_default_str();
  command
      ->add_option(
          "--sums", arguments->sums,
          "of several ranks on the cores of one machine, how they sum gradients: in memory "
          "that all see, where they can, or through sockets, as several machines do")
      ->check(CLI::IsMember({"memory", "sockets"}))
      ->capture_default_str();
  command->callback([arguments] { train(*arguments); });
}

}  // namespace sightline
