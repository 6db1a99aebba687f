#include "recipe/parse.h"

#include "base/error.h"
#include "base/file.h"
#include "recipe/sections.h"
#include "recipe/settings.h"
#include "recipe/table_reader.h"

#include <algorithm>
#include <set>

namespace sightline {

namespace {

// Whether it can be used is told where it is (tensor/device.h).
bool names_device(std::string_view name) {
  if (name == "cpu" || name == "cuda" || name == "auto") return true;
  constexpr std::string_view kNumbered = "cuda:";
  if (!name.starts_with(kNumbered) || name.size() == kNumbered.size()) return false;
  return std::ranges::all_of(name.substr(kNumbered.size()),
                             [](char digit) { return digit >= '0' && digit <= '9'; });
}

void read_run(TableReader& root, Recipe& recipe) {
  root.require("name", "name = \"...\" at its head");
  root.read_name("name", recipe.name);
  root.read("seed", recipe.seed, at_least(0));
  root.read("numbers", recipe.numbers);
  root.read("device", recipe.device);
  if (!names_device(recipe.device)) {
    root.wrong("device", fmt::format("\"device\" is \"{}\"; cpu, cuda, cuda:N and auto are known",
                                     recipe.device));
  }
  root.read("gradient_sums", recipe.gradient_sums);
  root.read("threads", recipe.threads, between(0, 4096));
  root.read("look_ahead", recipe.look_ahead, between(1, 1e6));
  root.read("side_by_side", recipe.side_by_side, between(1, 1024));
  root.read("workers", recipe.workers, between(1, 1024));
  root.read("cache", recipe.cache);
  if (recipe.cache.empty())
    root.wrong("cache", "\"cache\" is empty: name a folder, or leave it out");
}

// [data.*] or [task.*]: calls read_one(reader, name) for each table.
template <class ReadOne>
void read_tables(TableReader& root, std::string_view kind, const ReadOne& read_one) {
  const toml::table* tables = root.table(kind);
  if (tables == nullptr) return;
  for (const auto& [key, node] : *tables) {
    const std::string title = fmt::format("[{}.{}]", kind, key.str());
    if (!node.is_table()) {
      root.problems().add(node.source(),
                          fmt::format("\"{}\" in [{}] is {}, and a table {} is expected", key.str(),
                                      kind, described(node), title));
      continue;
    }
    if (!is_plain_name(key.str())) {
      root.problems().add(node.source(), fmt::format("{}: a name holds letters, digits, \"-\" and "
                                                     "\"_\" alone, because files are named by it",
                                                     title));
    }
    TableReader reader(*node.as_table(), title, root.problems());
    read_one(reader, std::string(key.str()));
  }
}

void read_stages(TableReader& root, Recipe& recipe) {
  const toml::array* stages = root.array_of_tables("stage");
  if (stages == nullptr || stages->empty()) {
    if (stages != nullptr || !root.has("stage")) {
      root.wrong("stage", "the recipe has no stage: add a [[stage]] with name, train and mixture");
    }
    return;
  }
  std::set<std::string> names;
  for (const toml::node& node : *stages) {
    const toml::table& table = *node.as_table();
    const auto name = table["name"].value<std::string>();
    TableReader reader(table,
                       name ? fmt::format("[[stage]] \"{}\"", *name)
                            : fmt::format("[[stage]] number {}", recipe.stages.size() + 1),
                       root.problems());
    StageRecipe& stage = recipe.stages.emplace_back();
    read_stage(reader, recipe, stage);
    if (!stage.name.empty() && !names.insert(stage.name).second) {
      reader.wrong("name",
                   fmt::format("a stage named \"{}\" stands above already: give each a name "
                               "of its own",
                               stage.name));
    }
  }
}

Recipe read_root(const toml::table& table, const std::string& file, Problems& problems) {
  Recipe recipe;
  recipe.file = file;
  TableReader root(table, "the recipe", problems);
  read_run(root, recipe);
  if (root.require("model", "a [model] table with vision, language or from")) {
    if (const toml::table* model = root.table("model")) {
      TableReader reader(*model, "[model]", problems);
      read_model(reader, recipe.model);
    }
  }
  read_tables(root, "data", [&](TableReader& reader, const std::string& name) {
    read_data(reader, recipe.data[name]);
  });
  read_tables(root, "task", [&](TableReader& reader, const std::string& name) {
    TaskRecipe& task = recipe.tasks[name];
    task.name = name;
    read_task(reader, recipe, task);
  });
  if (const toml::table* eval = root.table("eval")) {
    TableReader reader(*eval, "[eval]", problems);
    read_eval(reader, recipe, recipe.eval);
  }
  if (const toml::table* checkpoint = root.table("checkpoint")) {
    TableReader reader(*checkpoint, "[checkpoint]", problems);
    read_checkpoint(reader, recipe.checkpoint);
  }
  read_stages(root, recipe);
  root.finish();
  return recipe;
}

toml::table parse_toml(std::string_view text, const std::string& name) {
  try {
    return toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    const toml::source_position at = error.source().begin;
    fail_usage("{}:{}:{}: not valid TOML: {}", name, at.line, at.column, error.description());
  }
}

}  // namespace

Recipe parse_recipe(std::string_view text, std::string_view name,
                    std::span<const std::string> settings, PathCheck paths) {
  const std::string file(name);
  toml::table table = parse_toml(text, file);
  Problems problems(file, paths);
  apply_settings(table, settings, problems);
  Recipe recipe = read_root(table, file, problems);
  problems.throw_if_any();
  return recipe;
}

Recipe read_recipe(const std::filesystem::path& file, std::span<const std::string> settings) {
  std::string text;
  try {
    text = read_file(file);
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
  return parse_recipe(text, file.string(), settings);
}

}  // namespace sightline
