#include "run/live_report.h"

#include "base/file.h"
#include "base/log.h"
#include "report/page.h"
#include "run/run_machine.h"
#include "run/run_report.h"

#include <algorithm>
#include <exception>
#include <utility>

namespace sightline {

namespace {
constexpr double kSeconds = 30, kTimesItsCost = 100;
}

LiveReport::LiveReport(std::filesystem::path run, const Recipe& recipe)
    : run_(std::move(run)), recipe_(recipe), record_(run_) {}

void LiveReport::update() {
  if (seconds_now() >= due_) rewrite();
}

void LiveReport::rewrite() {
  const double begun = seconds_now();
  try {
    write();
  } catch (const std::exception& error) {
    if (!told_) log("warning: no report is written; training goes on: {}", error.what());
    told_ = true;
  }
  const double now = seconds_now();
  due_ = now + std::max(kSeconds, kTimesItsCost * (now - begun));
}

void LiveReport::write() {
  if (!std::exchange(machine_described_, true)) {
    write_json(run_ / "machine.json", describe_machine());
  }
  record_.read_on();
  const MakePictures make = pictures_missing_ ? MakePictures::no : MakePictures::yes;
  const RunReport report = run_report(run_, record_, recipe_, make);
  write_file(run_ / "report.html", page_html(report.page));
  for (const std::string& problem : report.problems) {
    if (!std::exchange(pictures_missing_, true)) log("warning: the report has {}", problem);
  }
}

}  // namespace sightline
