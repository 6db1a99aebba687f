// sightline data check: looks through all that a recipe reads, before a run does.

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "bundle/input_form.h"
#include "cli/commands.h"
#include "data/check.h"
#include "data/split_long.h"
#include "recipe/parse.h"

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace sightline {
namespace {

struct CheckArguments {
  std::string recipe;
  std::vector<std::string> settings;
  int64_t workers = 0;
  size_t show = 10;
  bool json = false;
};

// Two tables that hold the same pictures. A leak where one is trained on and the other judged by.
struct Overlap {
  const TableCheck* first;
  const TableCheck* second;
  std::vector<SamePicture> pictures;
  bool is_leak;
};

struct Findings {
  std::vector<TableCheck> tables;
  std::vector<Overlap> overlaps;
  std::set<std::string> trained_and_judged;  // tables that are both

  int64_t bad() const {
    int64_t sum = 0;
    for (const TableCheck& table : tables) sum += table.bad();
    return sum;
  }
  int64_t leaks() const {
    return std::ranges::count_if(overlaps, &Overlap::is_leak) +
           static_cast<int64_t>(trained_and_judged.size());
  }
};

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
    if (uses) least = least == 0 ? stage.micro_tokens : std::min(least, stage.micro_tokens);
  }
  return least;
}

TableCheck check_data(const Recipe& recipe, const std::string& name, const InputForm& form,
                      CheckOptions options) {
  DataRecipe data = recipe.data.at(name);
  data.on_bad_sample = OnBadSample::skip;  // all bad samples, not the first alone
  auto dataset = open_dataset(name, data);
  std::optional<SampleEncoder> encoder;
  if (form.prompt_template) encoder.emplace(*form.prompt_template, form.rows_per_image);
  if (encoder) options.encoder = &*encoder;
  options.micro_tokens = micro_tokens_for(recipe, name);
  if (encoder && data.too_long == TooLong::split) {
    dataset =
        split_long(std::move(dataset), *encoder,
                   options.micro_tokens == 0 ? options.max_rows
                                             : std::min(options.max_rows, options.micro_tokens));
  }
  Progress progress;
  options.progress = [&](size_t seen) {
    progress.update(fmt::format("{}: {} of {} samples", name, seen, dataset->size()));
  };
  TableCheck table = check_table(name, *dataset, options);
  progress.finish();
  return table;
}

Findings findings_of(const Recipe& recipe, int64_t workers) {
  const InputForm form = input_form_of(recipe.model);
  const CheckOptions options{
      .compose = {.policy = recipe.model.mask, .rows_per_image = form.rows_per_image},
      .max_rows = form.max_rows,
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

// The lengths of conversations by powers of two: "33-64 80%".
std::vector<std::pair<std::string, int64_t>> lengths_of(const TableCheck& table) {
  std::vector<std::pair<std::string, int64_t>> result;
  for (size_t bits = 0; bits < table.lengths.size(); ++bits) {
    if (table.lengths[bits] == 0) continue;
    const int64_t most = int64_t{1} << bits;
    result.emplace_back(
        bits < 2 ? fmt::format("{}", most) : fmt::format("{}-{}", most / 2 + 1, most),
        table.lengths[bits]);
  }
  return result;
}

Json pictures_json(const std::vector<SamePicture>& pictures) {
  Json list = Json::array();
  for (const auto& [first, second] : pictures) list.push_back({first, second});
  return list;
}

Json to_json(const Findings& findings) {
  Json tables = Json::array(), overlaps = Json::array();
  for (const TableCheck& table : findings.tables) {
    Json lengths = Json::object();
    for (const auto& [range, count] : lengths_of(table)) lengths[range] = count;
    tables.push_back({{"data", table.name},
                      {"samples", table.samples},
                      {"bad", table.problems},
                      {"pictures", table.places_of_picture.size()},
                      {"conversations", table.conversations},
                      {"rows", table.rows},
                      {"supervised", table.supervised},
                      {"longest", table.longest},
                      {"lengths", lengths},
                      {"duplicates", pictures_json(duplicates_in(table))}});
  }
  for (const Overlap& overlap : findings.overlaps) {
    overlaps.push_back({{"data", {overlap.first->name, overlap.second->name}},
                        {"leak", overlap.is_leak},
                        {"pictures", pictures_json(overlap.pictures)}});
  }
  return {
      {"data", tables}, {"shared", overlaps}, {"trained_and_judged", findings.trained_and_judged}};
}

void print_lines(const std::string& head, const std::vector<std::string>& lines, size_t show) {
  if (lines.empty()) return;
  fmt::print("\n{}\n", head);
  for (size_t i = 0; i < std::min(show, lines.size()); ++i) fmt::print("  {}\n", lines[i]);
  if (lines.size() > show) fmt::print("  and {} more\n", lines.size() - show);
}

void print_pictures(const std::string& head, const std::vector<SamePicture>& pictures,
                    size_t show) {
  std::vector<std::string> lines;
  for (const auto& [first, second] : pictures) {
    lines.push_back(first == second ? first : first + " = " + second);
  }
  print_lines(head, lines, show);
}

void print_table(const Findings& findings) {
  size_t width = 4;
  for (const TableCheck& table : findings.tables) width = std::max(width, table.name.size());
  fmt::print("{:<{}} {:>9} {:>6} {:>9} {:>11} {:>11} {:>8}  {}\n", "data", width, "samples", "bad",
             "pictures", "rows", "learnt", "longest", "conversations by rows");
  for (const TableCheck& table : findings.tables) {
    std::vector<std::string> lengths;
    for (const auto& [range, count] : lengths_of(table)) {
      lengths.push_back(fmt::format(
          "{} {:.0f}%", range,
          100.0 * static_cast<double>(count) / static_cast<double>(table.conversations)));
    }
    fmt::print("{:<{}} {:>9} {:>6} {:>9} {:>11} {:>11} {:>8}  {}\n", table.name, width,
               table.samples, table.bad(), table.places_of_picture.size(), table.rows,
               table.supervised, table.longest, fmt::join(lengths, ", "));
  }
}

void print_findings(const Findings& findings, size_t show) {
  print_table(findings);
  for (const TableCheck& table : findings.tables) {
    print_lines(fmt::format("{}: {} bad samples", table.name, table.bad()), table.problems, show);
    const auto duplicates = duplicates_in(table);
    print_pictures(fmt::format("{}: {} pictures stand there under another name too", table.name,
                               duplicates.size()),
                   duplicates, show);
  }
  for (const auto& [first, second, pictures, is_leak] : findings.overlaps) {
    print_pictures(fmt::format("{}: {} pictures stand in {} and in {}", is_leak ? "leak" : "shared",
                               pictures.size(), first->name, second->name),
                   pictures, show);
  }
  for (const std::string& name : findings.trained_and_judged) {
    fmt::print("\nleak: {} is trained on and judged by\n", name);
  }
}

void check_recipe(const CheckArguments& arguments) {
  const Recipe recipe = read_recipe(arguments.recipe, arguments.settings);
  const int64_t workers = arguments.workers > 0
                              ? arguments.workers
                              : std::max<int64_t>(1, std::thread::hardware_concurrency());
  const Findings findings = findings_of(recipe, workers);
  if (arguments.json) {
    fmt::print("{}\n", to_json(findings).dump(2, ' ', false, Json::error_handler_t::replace));
  } else {
    print_findings(findings, arguments.show);
  }
  check(findings.bad() == 0 && findings.leaks() == 0,
        "{}: {} bad samples and {} leaks from what is trained on into what is judged by; mend the "
        "data or the recipe",
        arguments.recipe, findings.bad(), findings.leaks());
}

}  // namespace

void add_data_check_command(CLI::App& group) {
  const auto arguments = std::make_shared<CheckArguments>();
  CLI::App* command = group.add_subcommand(
      "check",
      "Read every sample and decode every picture of a recipe's data: what is bad, how long "
      "conversations are, which pictures are the same, what leaks into what is judged by.");
  command->footer(
      "Example:\n  sightline data check recipes/flickr8k.toml"
      "\n\nEnds with 1 where a sample is bad or a picture leaks.");
  command->add_option("recipe", arguments->recipe, "the recipe (TOML; docs/recipe.md)")->required();
  command
      ->add_option("--set", arguments->settings, "KEY=VALUE put into the recipe; may be repeated")
      ->take_all();
  command->add_option("--workers", arguments->workers, "threads (default: all cores)")
      ->check(CLI::Range(1, 1024));
  command->add_option("--show", arguments->show, "lines of each list that are shown")
      ->capture_default_str();
  command->add_flag("--json", arguments->json, "print all as JSON");
  command->callback([arguments] { check_recipe(*arguments); });
}

}  // namespace sightline
