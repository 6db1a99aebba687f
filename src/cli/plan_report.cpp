#include "cli/plan_report.h"

#include "base/log.h"
#include "recipe/parse.h"
#include "report/table.h"

#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace sightline {

namespace {

using Cells = std::vector<std::string>;

// 12345 -> "12,345", 1234567 -> "1.23 M".
std::string short_number(double value) {
  if (value < 1e5) return grouped(std::llround(value));
  double size = 1e3;
  const char* unit = "kMGTPE";
  for (; value >= 1e3 * size && unit[1] != '\0'; size *= 1e3) ++unit;
  const double share = value / size;
  return fmt::format("{:.{}f} {}", share, share < 10 ? 2 : share < 100 ? 1 : 0, *unit);
}

std::string bytes_text(double bytes) {
  return bytes < 0.5 ? "0" : short_number(bytes) + (bytes < 1e5 ? " B" : "B");
}

// A heading, and a line for each stage.
template <class CellsOf>
std::string section(const std::string& heading, Cells columns, const RecipePlan& plan,
                    const CellsOf& cells_of) {
  std::vector<Cells> lines = {{"stage"}};
  lines.front().insert(lines.front().end(), columns.begin(), columns.end());
  for (size_t i = 0; i < plan.stages.size(); ++i) {
    Cells& line = lines.emplace_back(Cells{plan.stages[i].name});
    const Cells cells = cells_of(plan.stages[i], i);
    line.insert(line.end(), cells.begin(), cells.end());
  }
  return heading + "\n" + table_text(lines, "  ");
}

std::string parameters_text(const RecipePlan& plan) {
  Cells columns;
  for (const PartParameters& part : plan.stages.front().parts) {
    columns.insert(columns.end(), {part.part, "frozen"});
  }
  return section("Parameters: trained, frozen", columns, plan, [](const StagePlan& stage, size_t) {
    Cells cells;
    for (const PartParameters& part : stage.parts) {
      cells.push_back(short_number(static_cast<double>(part.trained)));
      cells.push_back(short_number(static_cast<double>(part.frozen)));
    }
    return cells;
  });
}

std::string data_text(const RecipePlan& plan) {
  std::string text = section(
      "\nData", {"samples", "pictures", "steps", "micro-batches", "tokens", "learnt", "mask"}, plan,
      [](const StagePlan& stage, size_t) {
        const StageWork& work = stage.work;
        Cells cells;
        for (const double value : {work.samples, work.images, work.steps, work.micro_batches,
                                   work.tokens, work.predictions}) {
          cells.push_back(short_number(value));
        }
        cells.emplace_back(name_of(stage.mask));
        return cells;
      });
  for (const StagePlan& stage : plan.stages) {
    if (stage.assumed) text += fmt::format("  {}: its data are assumed\n", stage.name);
    if (stage.work.looked_at < 1 && !stage.assumed) {
      text += fmt::format("  {}: scaled up from {:.2g} % of it\n", stage.name,
                          100 * stage.work.looked_at);
    }
    if (stage.work.skipped > 0) {
      text += fmt::format("  {}: {} bad samples passed over\n", stage.name, stage.work.skipped);
    }
  }
  return text;
}

std::string attention_text(const RecipePlan& plan) {
  return section("\nAttention: keys read, gathered with padding; pairs allowed, computed",
                 {"keys", "gathered", "pairs", "computed"}, plan,
                 [](const StagePlan& stage, size_t) {
                   const StageWork& work = stage.work;
                   Cells cells;
                   for (const double value :
                        {work.keys, work.gathered_keys, work.scores, work.padded_scores}) {
                     cells.push_back(short_number(value));
                   }
                   return cells;
                 });
}

std::string flops_text(const RecipePlan& plan) {
  return section(
      "\nOperations (FLOP)",
      {"forward", "input gradients", "weight gradients", "again", "optimizer", "features", "all"},
      plan, [](const StagePlan& stage, size_t) {
        const Flops& flops = stage.work.flops;
        Cells cells;
        for (const double value :
             {flops.forward, flops.input_gradients, flops.weight_gradients, flops.recomputed,
              stage.work.optimizer_flops, stage.features.flops, stage.flops()}) {
          cells.push_back(short_number(value));
        }
        return cells;
      });
}

std::string memory_text(const RecipePlan& plan, const PlanTimes& times) {
  std::string text = section(
      "\nMemory at the peak; on the host, prepared batches and a checkpoint's copy; on disk, "
      "features",
      {"weights", "masters", "optimizer", "gradients", "averages", "activations", "working", "all",
       "host", "disk"},
      plan, [](const StagePlan& stage, size_t) {
        const Memory& memory = stage.memory;
        Cells cells;
        for (const double value :
             {memory.weights, memory.masters, memory.optimizer, memory.gradients, memory.averages,
              memory.activations, memory.working, memory.training(), memory.host(),
              stage.features.bytes}) {
          cells.push_back(bytes_text(value));
        }
        return cells;
      });
  for (const StagePlan& stage : plan.stages) {
    if (times.device_memory == 0 || stage.memory.training() <= times.device_memory) continue;
    text += fmt::format(
        "  {}: does not fit into {:.0f} GB: lower micro_tokens, or set checkpoint_activations = "
        "true\n",
        stage.name, times.device_memory / 1e9);
  }
  return text;
}

std::string time_text(const RecipePlan& plan, const PlanTimes& times) {
  double sum = 0;
  std::string text = section("\nTime on " + times.device,
                             {"steps", "between GPUs", "(hidden)", "features", "reading",
                              "checkpoints", "restarts", "all", "GFLOP/s", "by"},
                             plan, [&](const StagePlan&, size_t i) {
                               const TimedStage& stage = times.stages[i];
                               const StageTime& time = stage.time;
                               sum += time.all();
                               return Cells{format_duration(time.steps),
                                            format_duration(time.communication),
                                            format_duration(time.hidden),
                                            format_duration(time.features),
                                            format_duration(time.reading),
                                            format_duration(time.checkpoints),
                                            format_duration(time.restarts),
                                            format_duration(time.all()),
                                            fmt::format("{:.0f}", stage.flops_per_second / 1e9),
                                            stage.how};
                             });
  if (times.device_memory == 0) {
    return text +
           fmt::format("{:.2f} hours in all; evaluation and checkpoints come on top\n", sum / 3600);
  }
  const Mishaps mishaps;
  return text +
         fmt::format(
             "{:.2f} hours in all; evaluation comes on top. Assumed: the share of the peak; "
             "seven eighths of the sums travelling during "
             "backward; {:.0f} GB/s to write checkpoints, {:.0f} to copy them; a failure each "
             "{} hours of a GPU, {:.0f} s to start again\n",
             sum / 3600, mishaps.bytes_written_a_second / 1e9, mishaps.bytes_copied_a_second / 1e9,
             grouped(std::llround(mishaps.hours_between_failures)), mishaps.restart_seconds);
}

Json to_json(const StageWork& work) {
  return {{"looked_at", work.looked_at}, {"skipped", work.skipped},
          {"samples", work.samples},     {"pictures", work.images},
          {"steps", work.steps},         {"micro_batches", work.micro_batches},
          {"tokens", work.tokens},       {"learnt", work.predictions},
          {"keys", work.keys},           {"gathered_keys", work.gathered_keys},
          {"pairs", work.scores},        {"computed_pairs", work.padded_scores}};
}

Json flops_json(const StagePlan& stage) {
  const Flops& flops = stage.work.flops;
  return {{"forward", flops.forward},
          {"input_gradients", flops.input_gradients},
          {"weight_gradients", flops.weight_gradients},
          {"recomputed", flops.recomputed},
          {"optimizer", stage.work.optimizer_flops},
          {"features", stage.features.flops},
          {"all", stage.flops()}};
}

Json to_json(const Memory& memory) {
  return {{"weights", memory.weights},      {"masters", memory.masters},
          {"optimizer", memory.optimizer},  {"gradients", memory.gradients},
          {"averages", memory.averages},    {"activations", memory.activations},
          {"working", memory.working},      {"all", memory.training()},
          {"host_batches", memory.batches}, {"host_checkpoint", memory.checkpoint}};
}

Json to_json(const TimedStage& stage) {
  return {{"steps", stage.time.steps},
          {"communication", stage.time.communication},
          {"hidden_communication", stage.time.hidden},
          {"features", stage.time.features},
          {"reading", stage.time.reading},
          {"checkpoints", stage.time.checkpoints},
          {"restarts", stage.time.restarts},
          {"all", stage.time.all()},
          {"flops_per_second", stage.flops_per_second},
          {"by", stage.how}};
}

Json to_json(const StagePlan& stage, const TimedStage& timed) {
  Json parts = Json::object();
  for (const PartParameters& part : stage.parts) {
    parts[part.part] = {{"trained", part.trained}, {"frozen", part.frozen}};
  }
  Json json = {{"name", stage.name},
               {"mask", name_of(stage.mask)},
               {"assumed", stage.assumed},
               {"parameters", parts},
               {"data", to_json(stage.work)},
               {"flops", flops_json(stage)},
               {"memory", to_json(stage.memory)},
               {"features",
                {{"depth", stage.features.depth},
                 {"pictures", stage.features.pictures},
                 {"computed", stage.features.computed},
                 {"bytes", stage.features.bytes}}},
               {"seconds", to_json(timed)}};
  if (timed.peak_memory > 0) json["probe_peak_memory"] = timed.peak_memory;
  return json;
}

}  // namespace

std::string plan_text(const RecipePlan& plan, const PlanTimes& times) {
  return parameters_text(plan) + data_text(plan) + attention_text(plan) + flops_text(plan) +
         memory_text(plan, times) + time_text(plan, times);
}

Json to_json(const RecipePlan& plan, const PlanTimes& times) {
  Json json = {{"device", times.device}, {"program_memory", times.program}};
  double seconds = 0;
  Json& stages = json["stages"] = Json::array();
  for (size_t i = 0; i < plan.stages.size(); ++i) {
    stages.push_back(to_json(plan.stages[i], times.stages[i]));
    seconds += times.stages[i].time.all();
  }
  json["seconds"] = seconds;
  return json;
}

}  // namespace sightline
