// sightline recaption MODEL DATA --output FILE.jsonl

#include "base/error.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/model_options.h"
#include "recipe/parse.h"
#include "run/recaption_file.h"
#include "text/utf8.h"

#include <chrono>
#include <exception>
#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace sightline {
namespace {

namespace fs = std::filesystem;

struct RecaptionCommand {
  ModelOptions model;
  DecodingFlags decoding;
  std::string data, recipe, output;
  std::vector<std::string> settings;
  std::optional<std::string> prompt;
  int64_t limit = 0, rank_timeout = 300;
  bool resume = false;
};

// What is to be looked at, and how answers are looked for.
struct Work {
  PictureList list;
  DecodingRecipe decoding;
  OnBadSample on_bad_sample = OnBadSample::fail;
};

Recipe recipe_for(const RecaptionCommand& options, const Bundle& bundle) {
  if (!options.recipe.empty()) return read_recipe(options.recipe, options.settings);
  if (bundle.recipe.empty()) {
    fail_usage("{}: no such folder, and the model has no recipe with tables: give --recipe FILE",
               options.data);
  }
  return parse_recipe(bundle.recipe, (fs::path(options.model.folder) / "recipe.toml").string(),
                      options.settings, PathCheck::later);
}

bool names_a_folder(const RecaptionCommand& options, const Bundle& bundle) {
  if (!options.recipe.empty() || !fs::is_directory(options.data)) return false;
  const auto recipe = recipe_of(bundle, options.model.folder);
  if (recipe && recipe->data.contains(options.data)) {
    fail_usage(
        "{0} is a folder here and a [data.{0}] of the model's recipe: write ./{0} for the folder, "
        "or --recipe FILE for the table",
        options.data);
  }
  return true;
}

Work work_on_folder(const RecaptionCommand& options, const Bundle& bundle) {
  Manner manner = manner_of(bundle, options.model.folder, TaskKind::caption);
  const ListOptions choice{options.prompt.value_or(manner.prompt), options.limit};
  return {list_pictures(pictures_at({options.data}), options.data, choice), manner.decoding};
}

Work work_on_table(const RecaptionCommand& options, const Bundle& bundle) {
  const Recipe recipe = recipe_for(options, bundle);
  const auto found = recipe.data.find(options.data);
  if (found == recipe.data.end()) {
    std::vector<std::string> names;
    for (const auto& [name, data] : recipe.data) names.push_back(name);
    fail_usage("{}: no such folder, and no such [data.*] in {}, which has {}", options.data,
               recipe.file, fmt::join(names, ", "));
  }
  const DataRecipe& data = found->second;
  const bool asks = !options.prompt && data.prompt.find("{question}") != std::string::npos;
  const Manner manner = manner_of(recipe, asks ? TaskKind::question : TaskKind::caption);
  return {list_pictures(options.data, data, {options.prompt, options.limit}), manner.decoding,
          data.on_bad_sample};
}

Work work_of(const RecaptionCommand& options, const Bundle& bundle) {
  Work work = names_a_folder(options, bundle) ? work_on_folder(options, bundle)
                                              : work_on_table(options, bundle);
  apply(options.decoding, work.decoding);
  return work;
}

void tell(const RecaptionCount& count, const Work& work, const std::string& output) {
  log("{}: {} lines with {} answers", output, count.lines, count.answers);
  if (count.left_out > 0) log("{} pictures are left out", count.left_out);
  if (count.cut > 0) {
    log("{} answers were cut at {} tokens (\"_cut\" marks their lines; --max-tokens)", count.cut,
        work.decoding.max_new_tokens);
  }
  log("to train on them: format = \"jsonl\", annotations = \"{}\"{}", output,
      work.list.images.empty() ? "" : fmt::format(", images = \"{}\"", work.list.images));
}

void recaption_on(World& world, const RecaptionCommand& options, int64_t local_rank) {
  world.first_does("looking at the output", [&] {
    check_recaption_output(options.output, options.resume ? Resume::yes : Resume::no);
    return std::string();
  });
  const Bundle bundle = load_model(options.model, local_rank);
  const Work work = work_of(options, bundle);
  const RecaptionOptions how{.decoding = work.decoding,
                             .author = author_of(options.model.folder, work.decoding),
                             .on_bad_sample = work.on_bad_sample};
  const RecaptionCount count = write_recaptions(bundle, work.list, how, options.output, world);
  if (world.is_first()) tell(count, work, options.output);
  world.barrier("ending");
}

void run_recaption(RecaptionCommand options) {
  if (options.prompt) options.prompt = to_valid_utf8(*options.prompt);
  const std::chrono::seconds timeout(options.rank_timeout);
  const Place place = read_place();
  World world(place, {.patience = timeout, .silence = timeout});
  try {
    recaption_on(world, options, place.local_rank);
  } catch (const std::exception& error) {
    world.tell_failure(error.what());
    throw;
  }
}

}  // namespace

void add_recaption_command(CLI::App& app) {
  auto options = std::make_shared<RecaptionCommand>();
  CLI::App* command = app.add_subcommand(
      "recaption", "Write what a model says of a data set's pictures, to train on (jsonl).");
  command->footer(
      "Examples:\n  sightline recaption runs/flickr8k/model train --output written.jsonl"
      "\n  sightline recaption MODEL photos/ --prompt \"describe the picture\" --answers 3 "
      "--temperature 0.8 --output written.jsonl"
      "\n  sightline launch --nproc 4 -- recaption MODEL train --output written.jsonl"
      "\n\nA line a picture; several answers are branches of it. Stopped at any instant, the same "
      "command\nwith --resume goes on. On any number of ranks it writes the same file. "
      "docs/recaption.md tells more.");
  add_model_options(*command, options->model);
  command
      ->add_option("DATA", options->data,
                   "the name of a [data.*] table of the recipe, or a folder of pictures")
      ->required();
  command->add_option("--output", options->output, "the file of JSON lines to write")->required();
  command->add_option("--recipe", options->recipe,
                      "take the table from this recipe file (default: the model's own)");
  command->add_option("--set", options->settings, "KEY=VALUE: change the recipe, as in train")
      ->take_all()
      ->expected(1);
  command->add_option("--prompt", options->prompt,
                      "what the user says before each answer (default: what the table asks; of a "
                      "folder, the prompt of the model's recipe)");
  command->add_option("--limit", options->limit, "only the first N examples")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 40));
  command->add_flag("--resume", options->resume,
                    "go on behind the lines that are written; begin where there are none");
  command
      ->add_option("--rank-timeout", options->rank_timeout,
                   "of several ranks: seconds that one may be silent before all give up")
      ->check(CLI::Range(1, 7 * 24 * 3600))
      ->capture_default_str();
  add_decoding_flags(*command, options->decoding);
  command->callback([options] { run_recaption(*options); });
}

}  // namespace sightline
