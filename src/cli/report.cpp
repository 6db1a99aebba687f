// sightline report RUN

#include "base/log.h"
#include "cli/commands.h"
#include "run/run_report.h"

#include <filesystem>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

namespace sightline {
namespace {

struct ReportOptions {
  std::string run;
  std::string svg;
};

void report(const ReportOptions& options) {
  if (!options.svg.empty()) {
    write_run_drawing(options.run, options.svg);
    log("written to {}", options.svg);
    return;
  }
  write_run_report(options.run);
  log("written to {}", (std::filesystem::path(options.run) / "report.html").string());
}

}  // namespace

void add_report_command(CLI::App& app) {
  const auto options = std::make_shared<ReportOptions>();
  CLI::App* command = app.add_subcommand(
      "report",
      "Write a run's report.html anew: curves, stages, scores, samples, machine, recipe.");
  command->footer(
      "Example:\n  sightline report runs/flickr8k"
      "\n\n`train` writes the page itself, and anew while it goes on.");
  command->add_option("RUN", options->run, "the run folder, also one of an older run")->required();
  command->add_option("--svg", options->svg,
                      "write the loss and the scores into this file as a drawing instead");
  command->callback([options] { report(*options); });
}

}  // namespace sightline
