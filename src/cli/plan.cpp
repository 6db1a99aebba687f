// sightline plan: what a recipe costs, before anything is spent.

#include "base/error.h"
#include "base/file.h"
#include "base/machine.h"
#include "cli/commands.h"
#include "cli/plan_report.h"
#include "plan/probe.h"
#include "recipe/parse.h"
#include "run/run_log.h"

#include <charconv>
#include <memory>
#include <string>
#include <vector>

#include <ATen/Parallel.h>
#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace sightline {
namespace {

struct PlanArguments {
  std::string recipe, assume, device = "cpu";
  std::vector<std::string> settings;
  int64_t samples = 0, zero = 0;
  Cluster cluster;
  std::string link;
  double utilisation = kAssumedUtilisation;
  bool json = false;
};

// What is assumed need not be there; all else is looked for where it is opened.
Recipe recipe_of(const PlanArguments& arguments) {
  if (arguments.assume.empty()) return read_recipe(arguments.recipe, arguments.settings);
  std::string text;
  try {
    text = read_file(arguments.recipe);
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
  return parse_recipe(text, arguments.recipe, arguments.settings, PathCheck::later);
}

// Each stage at its own probed rate, or where there is no room or time for a probe at that of
// products.
PlanTimes times_here(const Recipe& recipe, const PlanArguments& arguments, const RecipePlan& plan) {
  if (recipe.threads > 0) at::set_num_threads(static_cast<int>(recipe.threads));
  const double products = measured_product_rate(recipe.numbers);
  const auto cores = static_cast<double>(this_machine().cores);
  PlanTimes times{.device = fmt::format("this machine: {:.0f} cores, {:.0f} GFLOP/s of products",
                                        cores, products / 1e9)};
  for (size_t i = 0; i < plan.stages.size(); ++i) {
    const StagePlan& stage = plan.stages[i];
    const auto probe = probe_stage(recipe, recipe.stages[i], plan, stage, {products});
    if (probe) {
      times.stages.push_back({.time = probed_time(stage, *probe, cores),
                              .flops_per_second = probe->flops_per_second,
                              .how = "a probe",
                              .peak_memory = memory_use().peak_mib * 1048576});
      continue;
    }
    const Rate rate{.flops_per_second = products * arguments.utilisation};
    times.stages.push_back(
        {.time = stage_time(stage, rate),
         .flops_per_second = rate.flops_per_second,
         .how = fmt::format("{:.0f} % of products", 100 * arguments.utilisation)});
  }
  return times;
}

PlanTimes times_there(const Recipe& recipe, const PlanArguments& arguments,
                      const RecipePlan& plan) {
  const Device& device = *device_named(arguments.device);
  const Cluster& cluster = arguments.cluster;
  const Rate rate = rate_of(device, recipe, arguments.utilisation, cluster);
  PlanTimes times{
      .device = fmt::format(
          "{}{} x {}, each at {:.0f} % (assumed) of {:.0f} TFLOP/s in {}",
          cluster.machines > 1 ? fmt::format("{} machines of ", cluster.machines) : "",
          cluster.gpus, device.name, 100 * arguments.utilisation,
          rate.flops_per_second / arguments.utilisation / 1e12, name_of(recipe.numbers)),
      .device_memory = 1e9 * device.memory_gb};
  for (const StagePlan& stage : plan.stages) {
    StageTime time = stage_time(stage, rate);
    add_mishaps(time, stage, cluster, recipe.checkpoint);
    times.stages.push_back(
        {.time = time, .flops_per_second = rate.flops_per_second, .how = "stated"});
  }
  return times;
}

// "400Gb" -> 400; "" -> 0.
double gigabits_in(const std::string& text) {
  if (text.empty()) return 0;
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, code] = std::from_chars(text.data(), end, number);
  const std::string_view unit(rest, static_cast<size_t>(end - rest));
  if (code != std::errc() || !(number > 0) || (unit != "Gb" && unit != "Gbit" && !unit.empty())) {
    fail_usage("--link \"{}\": gigabits a second are wanted, such as 400Gb", text);
  }
  return number;
}

void run_plan(const PlanArguments& arguments) {
  const bool here = arguments.device == "cpu";
  const Cluster& cluster = arguments.cluster;
  const int64_t ranks = cluster.gpus * cluster.machines;
  if (here && ranks != 1) {
    fail_usage("{} {}: the device is cpu; name one with --device h100|h200|a100|l4",
               cluster.gpus != 1 ? "--gpus" : "--nodes", ranks);
  }
  const Recipe recipe = recipe_of(arguments);
  PlanOptions options{.samples = arguments.samples, .ranks = ranks, .sharding = cluster.sharding};
  if (!arguments.assume.empty()) options.assumed = read_assumed(arguments.assume);
  const double program = memory_use().now_mib * 1048576;
  const RecipePlan plan = plan_recipe(recipe, options);
  PlanTimes times =
      here ? times_here(recipe, arguments, plan) : times_there(recipe, arguments, plan);
  times.program = program;
  if (arguments.json) {
    fmt::print("{}\n", to_json(plan, times).dump(2));
  } else {
    fmt::print("{}", plan_text(plan, times));
  }
}

}  // namespace

void add_plan_command(CLI::App& app) {
  const auto arguments = std::make_shared<PlanArguments>();
  CLI::App* command = app.add_subcommand(
      "plan",
      "What a recipe costs before it runs: parameters, data, operations, memory and hours of each "
      "stage (docs/plan.md). No weight is read.");
  command->footer(
      "Examples:"
      "\n  sightline plan recipes/flickr8k.toml                          on this machine"
      "\n  sightline plan recipes/flickr8k.toml --device l4 --mfu 0.3"
      "\n  sightline plan recipes/paper_0.9b.toml --assume recipes/paper_0.9b/sizes.json "
      "--device h100 --gpus 8");
  command->add_option("RECIPE", arguments->recipe, "the recipe (TOML; docs/recipe.md)")->required();
  command
      ->add_option("--set", arguments->settings, "KEY=VALUE put into the recipe; may be repeated")
      ->take_all();
  command
      ->add_option("--device", arguments->device,
                   "cpu: this machine, by a short probe; else by the vendor's peak and --mfu")
      ->check(CLI::IsMember({"cpu", "h100", "h200", "a100", "l4"}))
      ->capture_default_str();
  Cluster& cluster = arguments->cluster;
  command->add_option("--gpus", cluster.gpus, "devices of a machine, which share each step")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command->add_option("--nodes", cluster.machines, "machines, each with as many devices")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  command->add_option(
      "--link", arguments->link,
      "between machines, such as 400Gb: gigabits a second and direction (default: as "
      "between devices)");
  command->add_option("--zero", arguments->zero, "what train's --zero shares out over the devices")
      ->check(CLI::Range(0, 2))
      ->capture_default_str();
  command
      ->add_option("--mfu", arguments->utilisation,
                   "assumed share of the device's peak; of measured products where a stage finds "
                   "no room here for a probe")
      ->check(CLI::Range(0.001, 1.0))
      ->capture_default_str();
  command
      ->add_option("--samples", arguments->samples,
                   "look at so many samples of each stage, drawn as in training (default: all)")
      ->check(CLI::Range(1, 1'000'000'000));
  command->add_option("--assume", arguments->assume,
                      "JSON file that tells the sizes of data tables in their place");
  command->add_flag("--json", arguments->json, "print all as JSON");
  command->callback([arguments] {
    arguments->cluster.sharding = static_cast<Sharding>(arguments->zero);
    arguments->cluster.link_gbit = gigabits_in(arguments->link);
    run_plan(*arguments);
  });
}

}  // namespace sightline
