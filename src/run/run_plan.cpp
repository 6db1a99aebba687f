#include "run/run_plan.h"

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "plan/plan.h"
#include "report/chart.h"
#include "report/html.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace sightline {

namespace fs = std::filesystem;

namespace {

constexpr int64_t kSamplesLookedAt = 2000;

Json to_json(const StagePlan& stage) {
  return {{"name", stage.name},
          {"looked_at", stage.work.looked_at},
          {"steps", stage.work.steps},
          {"samples", stage.work.samples},
          {"tokens", stage.work.tokens},
          {"flops", stage.work.flops_in_all()},
          {"memory", stage.memory.training()}};
}

struct PlannedStage {
  std::string name;
  bool whole = true;  // all its samples were looked at
  double steps = 0, samples = 0, tokens = 0, flops = 0, memory = 0;
};

PlannedStage planned_stage(const Json& json, const std::string& file) {
  const auto number = [&](const char* key) { return json_get<double>(json, key, file); };
  return {.name = json_get<std::string>(json, "name", file),
          .whole = number("looked_at") >= 1,
          .steps = number("steps"),
          .samples = number("samples"),
          .tokens = number("tokens"),
          .flops = number("flops"),
          .memory = number("memory")};
}

// What a stage's steps came to so far.
struct Done {
  double steps = 0, samples = 0, tokens = 0, seconds = 0, progress = 0, peak_memory = 0;
};

Done done_of(const RunStage& stage) {
  Done done{.steps = static_cast<double>(stage.steps.size()),
            .progress = stage.steps.back().progress};
  for (const RunStep& step : stage.steps) {
    done.samples += step.samples;
    done.tokens += step.tokens;
    done.seconds += step.seconds;
    done.peak_memory = std::max(done.peak_memory, step.peak_memory);
  }
  return done;
}

std::string planned_text(const PlannedStage& stage, double value) {
  return (stage.whole ? "" : "\u2248 ") + short_number(value);
}

std::string gibibytes(double bytes) { return fmt::format("{:.2f} GiB", bytes / (1 << 30)); }

}  // namespace

void write_run_plan(const fs::path& run, const Recipe& recipe) {
  const fs::path file = run / "plan.json";
  if (fs::exists(file)) return;
  try {
    Json stages = Json::array();
    for (const StagePlan& stage : plan_recipe(recipe, {.samples = kSamplesLookedAt}).stages) {
      stages.push_back(to_json(stage));
    }
    write_json(file, {{"stages", std::move(stages)}});
  } catch (const std::exception& error) {
    log("warning: no plan for the report: {}", error.what());
  }
}

std::string plan_table(const fs::path& file, const RunRecord& record) {
  std::vector<HtmlRow> rows = {{"stage", "steps", "done", "samples", "done", "tokens", "done",
                                "operations", "a second", "memory", "of the process", "time",
                                "left"}};
  const std::vector<RunStage> stages = record.stages();
  const Json plan = read_json(file);
  std::optional<double> rate;  // operations a second, of the last stage begun
  for (const Json& json : json_get<Json>(plan, "stages", file.string())) {
    const PlannedStage planned = planned_stage(json, file.string());
    const auto found = std::ranges::find(stages, planned.name, &RunStage::name);
    HtmlRow& row = rows.emplace_back(HtmlRow(rows.front().size()));
    row[0] = planned.name;
    row[1] = planned_text(planned, planned.steps);
    row[3] = planned_text(planned, planned.samples);
    row[5] = planned_text(planned, planned.tokens);
    row[7] = planned_text(planned, planned.flops);
    row[9] = gibibytes(planned.memory);
    double progress = 0;
    if (found != stages.end()) {
      const Done done = done_of(*found);
      progress = done.progress;
      if (done.seconds > 0) rate = planned.flops * done.progress / done.seconds;
      row[2] = short_number(done.steps);
      row[4] = short_number(done.samples);
      row[6] = short_number(done.tokens);
      row[8] = rate ? short_number(*rate) : "";
      row[10] = gibibytes(done.peak_memory * (1 << 20));
      row[11] = format_duration(done.seconds);
    }
    const double left = planned.flops * (1 - progress);
    if (rate && *rate > 0) row[12] = left > 0 ? format_duration(left / *rate) : "0";
  }
  return table_html(rows) +
         "<p class=\"pale\">Operations are floating-point ones of matrix products, features and "
         "evaluations left out; memory is what the plan counts, the process's is all that the "
         "program took. \u2248: scaled up from the stage's first samples. docs/plan.md</p>\n";
}

}  // namespace sightline
