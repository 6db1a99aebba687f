// sightline data check: looks through all that a recipe reads, before a run does.

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/data_findings.h"
#include "recipe/parse.h"

#include <algorithm>
#include <memory>
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
  const Findings findings = findings_in(recipe, workers);
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
