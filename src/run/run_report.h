#pragma once
// report.html of a run folder: its curves, stages, scores, samples, machine and recipe on one page
// that needs nothing else. Made of the folder alone, so of older runs too.

#include "recipe/recipe.h"
#include "report/page.h"
#include "run/run_record.h"
#include "run/run_samples.h"

#include <filesystem>
#include <string>
#include <vector>

namespace sightline {

struct RunReport {
  Page page;
  std::vector<std::string> problems;  // what the page goes without, and why
};

RunReport run_report(const std::filesystem::path& run, const RunRecord& record,
                     const Recipe& recipe, MakePictures make);

// Writes the page of any run folder, and tells problems on stderr. An Error where the folder holds
// no run, or names the file and line that is broken.
void write_run_report(const std::filesystem::path& run);
// The loss and the scores as a drawing of their own.
void write_run_drawing(const std::filesystem::path& run, const std::filesystem::path& svg);

}  // namespace sightline
