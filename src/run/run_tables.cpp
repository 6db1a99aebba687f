#include "run/run_tables.h"

#include "base/json.h"
#include "base/log.h"
#include "recipe/names.h"
#include "report/chart.h"
#include "report/html.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace sightline {
namespace {

std::string rates_text(const ByPart& lr) {
  std::string text = fmt::format("{:g}", lr.base);
  if (lr.vision) text += fmt::format(", vision {:g}", *lr.vision);
  if (lr.connector) text += fmt::format(", connector {:g}", *lr.connector);
  if (lr.language) text += fmt::format(", language {:g}", *lr.language);
  return text;
}

std::string mixture_text(const StageRecipe& stage) {
  std::vector<std::string> names;
  for (const MixtureEntry& each : stage.mixture) {
    names.push_back(each.weight == 1.0 ? each.data
                                       : fmt::format("{} x {:g}", each.data, each.weight));
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

// Of the first and the last of a stage's steps, at most twenty each.
std::string loss_text(std::span<const RunStep> steps) {
  const size_t count = std::min<size_t>(20, steps.size());
  const auto mean = [](std::span<const RunStep> some) {
    double sum = 0;
    for (const RunStep& each : some) sum += each.loss;
    return sum / static_cast<double>(some.size());
  };
  return fmt::format("{:.3f} \u2192 {:.3f}", mean(steps.first(count)), mean(steps.last(count)));
}

// What happened: as many cells as kHappened names.
const HtmlRow kHappened = {"steps",           "samples", "tokens",  "time", "tokens/second",
                           "pictures/second", "waiting", "skipped", "loss", "most memory"};

HtmlRow happened(std::span<const RunStep> steps) {
  RunStep sum;
  for (const RunStep& each : steps) {
    sum.tokens += each.tokens;
    sum.images += each.images;
    sum.samples += each.samples;
    sum.seconds += each.seconds;
    sum.waited += each.waited;
    sum.peak_memory = std::max(sum.peak_memory, each.peak_memory);
  }
  const double seconds = std::max(1e-9, sum.seconds);
  return {std::to_string(steps.size()),
          fmt::format("{:.0f}", sum.samples),
          short_number(sum.tokens),
          format_duration(sum.seconds),
          short_number(sum.tokens / seconds),
          short_number(sum.images / seconds),
          fmt::format("{:.1f} %", 100 * sum.waited / seconds),
          fmt::format("{:.0f}", steps.back().skipped),
          loss_text(steps),
          fmt::format("{:.2f} GiB", sum.peak_memory / 1024)};
}

std::string score_text(const ScoreAndInterval& score) {
  if (!score.has_interval) return fmt::format("{:.4f}", score.value);
  return fmt::format("{:.4f}\u00a0[{:.3f},\u00a0{:.3f}]", score.value, score.low, score.high);
}

std::string stage_at(const RunRecord& record, int64_t step) {
  std::string name;
  for (const RunStage& stage : record.stages()) {
    if (stage.steps.front().step <= step) name = stage.name;
  }
  return name;
}

}  // namespace

std::string stages_table(const RunRecord& record, const Recipe& recipe) {
  // A column a stage.
  std::vector<HtmlRow> rows;
  for (const char* name : {"", "trains", "data", "mask", "learning rate", "epochs"}) {
    rows.push_back({name});
  }
  for (const std::string& name : kHappened) rows.push_back({name});
  const std::vector<RunStage> done = record.stages();
  for (size_t i = 0; i < recipe.stages.size(); ++i) {
    const StageRecipe& stage = recipe.stages[i];
    HtmlRow column = {fmt::format("{} {}", i + 1, stage.name),
                      fmt::format("{}", fmt::join(stage.train, ", ")),
                      mixture_text(stage),
                      std::string(enum_name(stage.mask.value_or(recipe.model.mask))),
                      rates_text(stage.lr),
                      fmt::format("{:g}", stage.epochs)};
    const auto found = std::ranges::find(done, stage.name, &RunStage::name);
    const HtmlRow cells =
        found == done.end() ? HtmlRow(kHappened.size(), "") : happened(found->steps);
    column.insert(column.end(), cells.begin(), cells.end());
    for (size_t r = 0; r < rows.size(); ++r) rows[r].push_back(column[r]);
  }
  return table_html(rows);
}

std::string scores_table(const RunRecord& record, std::span<const TaskScores> scores) {
  std::set<std::string> tasks;
  for (const TaskScores& each : scores) tasks.insert(each.task);
  std::string html;
  for (const std::string& task : tasks) {
    std::vector<HtmlRow> rows;
    int64_t count = 0;
    for (const TaskScores& each : scores) {
      if (each.task != task) continue;
      count = each.count;
      if (rows.empty()) {
        rows.push_back({"step", "stage"});
        for (const auto& score : each.scores) rows[0].push_back(score.first);
      }
      HtmlRow row = {std::to_string(each.step), stage_at(record, each.step)};
      for (size_t c = 2; c < rows[0].size(); ++c) {
        const auto found = each.scores.find(rows[0][c]);
        row.push_back(found == each.scores.end() ? "" : score_text(found->second));
      }
      rows.push_back(std::move(row));
    }
    html += fmt::format(
                "<p>{}: {} cases; in brackets 95 % intervals, by resamples of the "
                "examples</p>\n",
                escaped(task), count) +
            table_html(rows);
  }
  std::vector<HtmlRow> losses = {{"step", "stage", "validation loss"}};
  for (const RunEvaluation& each : record.evaluations()) {
    const auto found = each.scores.find("validation_loss");
    if (found == each.scores.end()) continue;
    losses.push_back({std::to_string(each.step), stage_at(record, each.step),
                      fmt::format("{:.4f}", found->second)});
  }
  if (losses.size() > 1) html += "<p>Validation loss, nats a token</p>\n" + table_html(losses);
  return html;
}

std::string machine_table(const std::filesystem::path& file) {
  HtmlRow names, values;
  const Json machine = read_json(file);
  for (const auto& [name, value] : machine.items()) {
    names.push_back(name);
    values.push_back(value.is_string() ? value.get<std::string>() : value.dump());
  }
  return table_html(std::vector<HtmlRow>{names, values});
}

}  // namespace sightline
