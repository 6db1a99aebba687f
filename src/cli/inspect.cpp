// sightline inspect recipe | model | data | plan | mask

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "bundle/input_form.h"
#include "cli/commands.h"
#include "cli/data_findings.h"
#include "cli/data_view.h"
#include "cli/mask_drawing.h"
#include "cli/plan_drawing.h"
#include "cli/trained_parts.h"
#include "cli/weights_view.h"
#include "data/split_long.h"
#include "recipe/names.h"
#include "recipe/parse.h"
#include "report/table.h"

#include <algorithm>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace sightline {
namespace {

struct InspectOptions {
  std::string recipe, name;  // of a data table or a stage
  std::vector<std::string> settings;
  std::string model;
  Layers layers = Layers::together;
  std::optional<std::string> policy;
  std::string svg;
  size_t show = 3;
  size_t count = 10000;
  bool json = false;
};

void print_json(const Json& json) {
  fmt::print("{}\n", json.dump(2, ' ', false, Json::error_handler_t::replace));
}

// A UsageError that offers the recipe's own names.
[[noreturn]] void fail_unnamed(const char* what, const std::string& name,
                               const std::vector<std::string>& names) {
  fail_usage("the recipe has no {} \"{}\"{}", what, name, suggestion(name, names, "it has"));
}

void run_inspect_recipe(const InspectOptions& options) {
  const Recipe recipe = read_recipe(options.recipe, options.settings);
  const ModelConfig config = input_form_of(recipe.model).config;
  if (!options.json) return fmt::print("{}", recipe_text(recipe, config));
  Json stages = Json::array(), parts = Json::array();
  for (const StageRecipe& stage : recipe.stages) stages.push_back(stage.name);
  for (const auto& [part, section, parameters, trained] : trained_parts(recipe, config)) {
    parts.push_back(
        {{"part", part}, {"section", section}, {"parameters", parameters}, {"trained", trained}});
  }
  print_json({{"recipe", recipe.name},
              {"stages", stages},
              {"rows_per_image", config.rows_per_image()},
              {"parts", parts}});
}

void run_inspect_model(const InspectOptions& options) {
  const std::vector<WeightsView> parts = weights_of(options.model, options.layers);
  options.json ? print_json(to_json(parts)) : fmt::print("{}", weights_text(parts));
}

void print_table(const std::string& name, const Dataset& dataset, const TableView& table,
                 size_t most) {
  const std::string some =
      dataset.size() > most ? fmt::format("the first {} of ", grouped(table.samples)) : "";
  fmt::print(
      "{}: {}{} samples, {} bad; {} pictures, {} conversations, {} rows, {} learnt\n\nrows of a "
      "conversation\n{}\n",
      name, some, grouped(static_cast<int64_t>(dataset.size())), grouped(table.bad),
      grouped(table.pictures), grouped(table.conversations), grouped(table.rows),
      grouped(table.learnt), histogram_text(bins_of(table.lengths, 12)));
}

Json to_json(const Dataset& dataset, const TableView& table) {
  Json lengths = Json::array();
  for (const auto& [first, last, count] : bins_of(table.lengths, 12)) {
    lengths.push_back({{"first", first}, {"last", last}, {"conversations", count}});
  }
  return {{"samples", dataset.size()},
          {"counted", table.samples},
          {"bad", table.bad},
          {"pictures", table.pictures},
          {"conversations", table.conversations},
          {"rows", table.rows},
          {"learnt", table.learnt},
          {"lengths", lengths}};
}

void run_inspect_data(const InspectOptions& options) {
  const Recipe recipe = read_recipe(options.recipe, options.settings);
  std::vector<std::string> names;
  for (const auto& [name, data] : recipe.data) names.push_back(name);
  if (!recipe.data.contains(options.name)) fail_unnamed("data table", options.name, names);
  const InputForm form = input_form_of(recipe.model);
  if (!form.prompt_template) fail_usage("{}: the model has no words to read", options.recipe);
  const SampleEncoder encoder(*form.prompt_template, form.rows_per_image);
  const auto dataset = open_as_trained(recipe, options.name, form, encoder);
  const Reading reading{encoder, *form.tokenizer, form.rows_per_image};
  std::vector<SampleView> samples;
  for (size_t i = 0; i < std::min(options.show, dataset->size()); ++i) {
    samples.push_back(view_of(*dataset, i, reading));
  }
  const TableView table = count_samples(*dataset, options.count, reading);
  if (options.json) {
    Json json = to_json(*dataset, table);
    json["shown"] = Json::array();
    for (const SampleView& sample : samples) json["shown"].push_back(to_json(sample));
    return print_json(json);
  }
  print_table(options.name, *dataset, table, options.count);
  for (const SampleView& sample : samples) fmt::print("{}\n", sample_text(sample));
  fmt::print("+ is learnt: what the model is to predict; | stands between two tokens\n");
}

void run_inspect_plan(const InspectOptions& options) {
  const Recipe recipe = read_recipe(options.recipe, options.settings);
  std::vector<std::string> names;
  for (const StageRecipe& stage : recipe.stages) names.push_back(stage.name);
  const auto stage = std::ranges::find(recipe.stages, options.name, &StageRecipe::name);
  if (stage == recipe.stages.end()) fail_unnamed("stage", options.name, names);
  const Batch batch = first_micro_batch(recipe, *stage);
  const RowMap map = plan_drawing(
      batch,
      fmt::format("{}: the first micro-batch, {} of {} rows, mask {}: {} samples, {} images, {} "
                  "tokens to learn, {} keys read, {} pairs seen",
                  stage->name, grouped(batch.rows()), grouped(stage->micro_tokens),
                  enum_name(stage->mask.value_or(recipe.model.mask)), batch.sample_names.size(),
                  batch.num_images(), grouped(batch.num_predictions()),
                  grouped(batch.plan.num_keys()), grouped(batch.plan.num_scores())));
  if (!options.svg.empty()) {
    write_file(options.svg, row_map_svg(map, 400));
    return log("written to {}", options.svg);
  }
  fmt::print("{}", row_map_text(map, options.show));
  if (map.documents.size() > options.show) {
    fmt::print("and {} more documents (--show N)\n", map.documents.size() - options.show);
  }
  fmt::print(
      "\nA line may look at: # all of a column's rows, \\ those up to itself, . none\n"
      "learnt: tokens that the model is to predict; given: all other words\n");
}

void run_inspect_mask(const InspectOptions& options) {
  if (!options.svg.empty()) {
    if (!options.policy) fail_usage("--svg draws one policy: add --policy NAME");
    write_file(options.svg, grids_svg(mask_drawings(*enum_named<MaskPolicy>(*options.policy))));
    log("written to {}", options.svg);
    return;
  }
  for (const auto& [name, policy] : names_of(MaskPolicy{})) {
    if (options.policy && *options.policy != name) continue;
    for (const Grid& grid : mask_drawings(policy)) fmt::print("{}\n", grid_text(grid));
  }
  fmt::print("A line may look at: # itself and what is before it, + what is ahead, . not at all\n");
}

using Shared = std::shared_ptr<InspectOptions>;

CLI::App* add_command(CLI::App& group, const char* name, const char* what, const char* example) {
  CLI::App* command = group.add_subcommand(name, what);
  command->footer(fmt::format("Example:\n  sightline inspect {}", example));
  return command;
}

void add_recipe_options(CLI::App& command, const Shared& options) {
  command.add_option("RECIPE", options->recipe, "the recipe (TOML; docs/recipe.md)")->required();
  command.add_option("--set", options->settings, "KEY=VALUE put into the recipe; may be repeated")
      ->take_all();
}

void add_recipe(CLI::App& group, const Shared& options) {
  CLI::App* command = add_command(
      group, "recipe", "A recipe with every default written out, below what each stage trains.",
      "recipe recipes/flickr8k.toml > resolved.toml");
  add_recipe_options(*command, options);
  command->add_flag("--json", options->json, "what each stage trains, as JSON");
  command->callback([options] { run_inspect_recipe(*options); });
}

void add_model(CLI::App& group, const Shared& options) {
  CLI::App* command =
      add_command(group, "model", "The tensors of a model folder: shapes, number types, norms.",
                  "model runs/flickr8k/model");
  command->add_option("FOLDER", options->model, "a Sightline model folder, or a Hugging Face one")
      ->required();
  command->add_flag_callback(
      "--layers", [options] { options->layers = Layers::apart; },
      "a line for each layer's tensors");
  command->add_flag("--json", options->json, "the same as JSON");
  command->callback([options] { run_inspect_model(*options); });
}

void add_data(CLI::App& group, const Shared& options) {
  CLI::App* command = add_command(
      group, "data", "A data table's first samples token by token, what is learnt, and lengths.",
      "data recipes/flickr8k.toml train --show 1");
  add_recipe_options(*command, options);
  command->add_option("NAME", options->name, "a [data.*] table")->required();
  command->add_option("--show", options->show, "samples that are shown")->capture_default_str();
  command->add_option("--count", options->count, "samples that are counted")->capture_default_str();
  command->add_flag("--json", options->json, "the same as JSON");
  command->callback([options] { run_inspect_data(*options); });
}

void add_plan(CLI::App& group, const Shared& options) {
  CLI::App* command =
      add_command(group, "plan", "Draw the attention plan of a stage's first packed micro-batch.",
                  "plan recipes/flickr8k.toml align --svg plan.svg");
  add_recipe_options(*command, options);
  command->add_option("STAGE", options->name, "a stage's name")->required();
  command->add_option("--show", options->show, "documents that are drawn as text")
      ->capture_default_str();
  command->add_option("--svg", options->svg, "write a drawing of all of it into this file");
  command->callback([options] { run_inspect_plan(*options); });
}

void add_mask(CLI::App& group, const Shared& options) {
  CLI::App* command = add_command(
      group, "mask", "Draw which rows may look at which under the mask policies (docs/masks.md).",
      "mask --policy image");
  command->add_option("--policy", options->policy, "one policy alone (default: all)")
      ->check(CLI::IsMember(enum_names<MaskPolicy>()));
  command->add_option("--svg", options->svg, "write the policy's drawing into this file");
  command->callback([options] { run_inspect_mask(*options); });
}

}  // namespace

void add_inspect_command(CLI::App& app) {
  CLI::App* group =
      app.add_subcommand("inspect", "Show a recipe, a model, data, a plan or a mask.");
  group->require_subcommand(1);
  group->footer("Example:\n  sightline inspect data recipes/flickr8k.toml train");
  const auto options = std::make_shared<InspectOptions>();
  add_recipe(*group, options);
  add_model(*group, options);
  add_data(*group, options);
  add_plan(*group, options);
  add_mask(*group, options);
}

}  // namespace sightline
