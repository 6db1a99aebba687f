#pragma once
// report.html while the run goes on.

#include "recipe/recipe.h"
#include "run/run_record.h"

#include <filesystem>

namespace sightline {

// Never throws: a report that cannot be written is told once, and the training goes on.
class LiveReport {
 public:
  LiveReport(std::filesystem::path run, const Recipe& recipe);

  // After a step. Rewrites the page where the last time is half a minute ago, or so long that
  // reports take a hundredth of the time.
  void update();
  // After an evaluation, a checkpoint or the end: rewrites it now.
  void rewrite();

 private:
  void write();

  std::filesystem::path run_;
  const Recipe& recipe_;
  RunRecord record_;
  double due_ = 0;  // seconds_now()
  bool told_ = false;
  bool pictures_missing_ = false;
  bool machine_described_ = false;
};

}  // namespace sightline
