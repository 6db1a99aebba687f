#include "run/run_report.h"

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "recipe/names.h"
#include "recipe/parse.h"
#include "report/chart.h"
#include "report/html.h"
#include "run/event_log.h"
#include "run/run_charts.h"
#include "run/run_plan.h"
#include "run/run_scores.h"
#include "run/run_tables.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <set>

#include <fmt/chrono.h>

namespace sightline {

namespace fs = std::filesystem;

namespace {

std::string time_text() {
  return fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(std::time(nullptr)));
}

std::string subtitle_of(const fs::path& run, const RunRecord& record, const Recipe& recipe) {
  if (record.steps().empty()) return fmt::format("No step yet. As of {}.", time_text());
  const RunStep& last = record.steps().back();
  double seconds = 0;
  for (const RunStep& step : record.steps()) seconds += step.seconds;
  const auto stage = std::ranges::find(recipe.stages, last.stage, &StageRecipe::name);
  const std::string where =
      fs::exists(run / "model")
          ? "Finished"
          : fmt::format("In stage {} of {}, \"{}\", {:.0f} % of it",
                        stage - recipe.stages.begin() + 1, recipe.stages.size(), last.stage,
                        100 * last.progress);
  return fmt::format("{}: {} steps, {} of training. As of {}.", where, last.step,
                     format_duration(seconds), time_text());
}

std::string charts_html(const RunRecord& record, const std::vector<TaskScores>& scores,
                        const Recipe& recipe) {
  std::string html = "<div class=\"charts\">\n";
  for (const Chart& chart : run_charts(record, scores, recipe)) html += chart_svg(chart);
  return html +
         "</div>\n<p class=\"pale\">Dashed lines part the stages, triangles mark "
         "evaluations.</p>\n";
}

std::string sample_html(const RunSample& sample) {
  std::string html = "<div class=\"card\">";
  for (const std::string& picture : sample.pictures) {
    html += fmt::format("<img alt=\"\" src=\"{}\">", escaped(picture));
  }
  html += "<dl>";
  const auto entry = [&](std::string_view name, std::string_view text) {
    html += fmt::format("<dt>{}</dt><dd>{}</dd>", escaped(name), escaped(text));
  };
  if (!sample.prompt.empty()) entry("asked", sample.prompt);
  for (const auto& [when, said] : sample.answers) entry(when, said.empty() ? "(nothing)" : said);
  html +=
      fmt::format("<dt>{}</dt><dd><ul>", sample.references.size() == 1 ? "right" : "people said");
  std::set<std::string> told;  // ten people often say the same
  for (const std::string& each : sample.references) {
    if (told.insert(each).second) html += fmt::format("<li>{}</li>", escaped(each));
  }
  return html + "</ul></dd></dl></div>\n";
}

std::string samples_html(const std::vector<RunSample>& samples) {
  std::string html = "<div class=\"samples\">\n";
  for (const RunSample& sample : samples) html += sample_html(sample);
  return html + "</div>\n";
}

Recipe recipe_of(const fs::path& run) {
  const fs::path file = run / "recipe.toml";
  if (!fs::exists(file)) {
    fail_usage("{}: no run is there (it has no recipe.toml); name the folder that `train` wrote",
               run.string());
  }
  return parse_recipe(read_file(file), file.string(), {}, PathCheck::later);
}

}  // namespace

RunReport run_report(const fs::path& run, const RunRecord& record, const Recipe& recipe,
                     MakePictures make) {
  RunReport report;
  report.page = {recipe.name, subtitle_of(run, record, recipe), {}};
  const auto add = [&](const char* title, std::string body) {
    report.page.sections.push_back({title, std::move(body)});
  };
  const std::vector<TaskScores> scores = read_task_scores(run, record);
  add("Curves", charts_html(record, scores, recipe));
  add("Stages: what the recipe says, and what happened", stages_table(record, recipe));
  if (fs::exists(run / "plan.json") && !record.steps().empty()) {
    add("Plan, and what it came to", plan_table(run / "plan.json", record));
  }
  if (!record.evaluations().empty()) add("Scores", scores_table(record, scores));
  const auto samples = run_samples(run, record, recipe, make, report.problems);
  if (!samples.empty()) add("Samples", samples_html(samples));
  if (fs::exists(run / "machine.json")) add("Machine", machine_table(run / "machine.json"));
  add("Recipe", fmt::format("<details><summary>All of it, every default written out</summary>\n"
                            "<pre>{}</pre></details>\n",
                            escaped(print_recipe(recipe))));
  return report;
}

void write_run_report(const fs::path& run) {
  const Recipe recipe = recipe_of(run);
  RunRecord record(run);
  record.read_on();
  const RunReport report = run_report(run, record, recipe, MakePictures::yes);
  for (const std::string& problem : report.problems) log("warning: {}", problem);
  write_file(run / "report.html", page_html(report.page));
}

void write_run_drawing(const fs::path& run, const fs::path& svg) {
  recipe_of(run);  // that it is a run
  RunRecord record(run);
  record.read_on();
  write_file(svg, charts_file(headline_charts(record, read_task_scores(run, record))));
}

}  // namespace sightline
