#pragma once
// The lines of run.jsonl as TensorBoard's event files, events.out.tfevents.* in the run folder: one
// a session, so that a run which was resumed has several.

#include "base/json.h"
#include "recipe/recipe.h"
#include "report/event_file.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace sightline {

// Peak learning rate of "vision", "connector" or "language"; of anything else the base.
double rate_of(const std::string& part, const ByPart& rates);
// Learning rate by part, of the parts that a step's line has gradient norms of.
std::map<std::string, double> learning_rates(const Json& step, const Recipe& recipe);

class EventLog {
 public:
  // Goes on behind step `last_step`: what earlier event files tell of later steps is taken back.
  // Where there are none, the lines of run.jsonl up to there are told first.
  EventLog(const std::filesystem::path& folder, int64_t last_step, const Recipe& recipe);

  // A line of run.jsonl. Never throws: the first failure is logged, and with it telling ends.
  void add(const Json& line);

 private:
  void open(const std::filesystem::path& folder, int64_t last_step);
  void tell(const Json& line);
  void give_up(const std::exception& error);

  const Recipe& recipe_;
  std::optional<EventFile> file_;
};

}  // namespace sightline
