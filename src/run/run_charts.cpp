#include "run/run_charts.h"

#include "run/event_log.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include <fmt/format.h>

namespace sightline {
namespace {

constexpr size_t kSmooth = 20;  // steps

using Value = std::function<double(const RunStep&)>;

Chart begin_chart(const RunRecord& record, std::string title, std::string y_label) {
  Chart chart{.title = std::move(title), .y_label = std::move(y_label)};
  for (const RunStage& stage : record.stages()) {
    chart.stages.push_back({stage.name, static_cast<double>(stage.steps.front().step),
                            static_cast<double>(stage.steps.back().step)});
  }
  for (const RunEvaluation& each : record.evaluations()) {
    chart.evaluations.push_back(static_cast<double>(each.step));
  }
  return chart;
}

std::vector<ChartPoint> points_of(const RunRecord& record, const Value& value) {
  std::vector<ChartPoint> points;
  for (const RunStep& step : record.steps()) {
    points.push_back({.x = static_cast<double>(step.step), .y = value(step)});
  }
  return points;
}

// The sum of `value` over that of `weight`, over a stage's last kSmooth steps at each.
std::vector<ChartPoint> smoothed(const RunRecord& record, const Value& value, const Value& weight) {
  std::vector<ChartPoint> points;
  for (const RunStage& stage : record.stages()) {
    for (size_t i = 0; i < stage.steps.size(); ++i) {
      double sum = 0, weights = 0;
      for (size_t k = i - std::min(i, kSmooth - 1); k <= i; ++k) {
        sum += value(stage.steps[k]);
        weights += weight(stage.steps[k]);
      }
      points.push_back({.x = static_cast<double>(stage.steps[i].step),
                        .y = weights > 0 ? sum / weights : kNoValue});
    }
    if (!points.empty()) points.push_back({.x = points.back().x});  // a stage's curve is its own
  }
  return points;
}

double one(const RunStep&) { return 1; }
double seconds(const RunStep& step) { return step.seconds; }

Chart loss_chart(const RunRecord& record) {
  Chart chart = begin_chart(record, "Loss", "nats a token");
  const auto loss = [](const RunStep& step) { return step.loss; };
  chart.lines.push_back({"a step", 0, LineStyle::faint, points_of(record, loss)});
  chart.lines.push_back(
      {fmt::format("mean of {}", kSmooth), 0, LineStyle::line, smoothed(record, loss, one)});
  ChartLine validation{"validation", 1, LineStyle::marks, {}};
  for (const RunEvaluation& each : record.evaluations()) {
    const auto found = each.scores.find("validation_loss");
    if (found == each.scores.end()) continue;
    validation.points.push_back({.x = static_cast<double>(each.step), .y = found->second});
  }
  if (!validation.points.empty()) chart.lines.push_back(std::move(validation));
  return chart;
}

// A line a part of the model, each of its own colour; broken where the part does not train.
std::vector<ChartLine> lines_by_part(
    const RunRecord& record,
    const std::function<double(const RunStep&, const std::string& part)>& value) {
  std::map<std::string, std::vector<ChartPoint>> parts;
  for (const RunStep& step : record.steps()) {
    for (const auto& each : step.gradient_norms) parts[each.first];
  }
  for (const RunStep& step : record.steps()) {
    for (auto& [part, points] : parts) {
      const bool trains = step.gradient_norms.contains(part);
      points.push_back(
          {.x = static_cast<double>(step.step), .y = trains ? value(step, part) : kNoValue});
    }
  }
  std::vector<ChartLine> lines;
  for (auto& [part, points] : parts) {
    const size_t colour = lines.size() % kChartColours;
    lines.push_back({part, colour, LineStyle::line, std::move(points)});
  }
  return lines;
}

Chart rate_chart(const RunRecord& record, const Recipe& recipe) {
  Chart chart = begin_chart(record, "Learning rate", "learning rate");
  chart.lines = lines_by_part(record, [&](const RunStep& step, const std::string& part) {
    const auto stage = std::ranges::find(recipe.stages, step.stage, &StageRecipe::name);
    return stage == recipe.stages.end() ? kNoValue : rate_of(part, stage->lr) * step.lr_factor;
  });
  return chart;
}

Chart gradient_chart(const RunRecord& record) {
  Chart chart = begin_chart(record, "Gradient norm by part", "norm, before clipping");
  chart.scale = ChartScale::log;
  chart.lines = lines_by_part(record, [](const RunStep& step, const std::string& part) {
    return step.gradient_norms.at(part);
  });
  return chart;
}

Chart speed_chart(const RunRecord& record) {
  Chart chart =
      begin_chart(record, fmt::format("Throughput, mean of {} steps", kSmooth), "tokens a second");
  const auto tokens = [](const RunStep& step) { return step.tokens; };
  chart.lines.push_back({"tokens", 0, LineStyle::line, smoothed(record, tokens, seconds)});
  return chart;
}

Chart waiting_chart(const RunRecord& record) {
  Chart chart = begin_chart(record, fmt::format("Waiting, mean of {} steps", kSmooth), "% of time");
  const auto waited = [](const RunStep& step) { return 100 * step.waited; };
  chart.lines.push_back({"for data", 1, LineStyle::line, smoothed(record, waited, seconds)});
  const auto exchanged = [](const RunStep& step) { return step.exchanging > 0; };
  if (std::ranges::none_of(record.steps(), exchanged)) return chart;
  const auto for_ranks = [](const RunStep& step) { return 100 * step.waited_for_ranks; };
  const auto exchanging = [](const RunStep& step) { return 100 * step.exchanging; };
  chart.lines.push_back(
      {"for other ranks", 0, LineStyle::line, smoothed(record, for_ranks, seconds)});
  chart.lines.push_back({"exchanging", 2, LineStyle::line, smoothed(record, exchanging, seconds)});
  return chart;
}

Chart score_chart(const RunRecord& record, std::span<const TaskScores> scores) {
  Chart chart = begin_chart(record, "Score, with 95 % intervals", "score");
  std::map<std::string, ChartLine> lines;
  for (const TaskScores& each : scores) {
    const std::string name = headline_score(each);
    if (name.empty()) continue;
    const ScoreAndInterval& score = each.scores.at(name);
    ChartLine& line = lines[each.task];
    line.name = each.task + " " + name;
    line.points.push_back({.x = static_cast<double>(each.step),
                           .y = score.value,
                           .low = score.has_interval ? score.low : kNoValue,
                           .high = score.has_interval ? score.high : kNoValue});
  }
  for (auto& [task, line] : lines) {
    line.style = LineStyle::marks;
    line.colour = (chart.lines.size() + 1) % kChartColours;
    chart.lines.push_back(std::move(line));
  }
  if (chart.lines.size() == 1) chart.y_label = chart.lines[0].name;
  return chart;
}

}  // namespace

std::vector<Chart> run_charts(const RunRecord& record, std::span<const TaskScores> scores,
                              const Recipe& recipe) {
  std::vector<Chart> charts = {loss_chart(record), rate_chart(record, recipe),
                               gradient_chart(record), speed_chart(record), waiting_chart(record)};
  if (!scores.empty()) charts.push_back(score_chart(record, scores));
  return charts;
}

std::vector<Chart> headline_charts(const RunRecord& record, std::span<const TaskScores> scores) {
  std::vector<Chart> charts = {loss_chart(record)};
  if (!scores.empty()) charts.push_back(score_chart(record, scores));
  return charts;
}

}  // namespace sightline
