#include "run/event_log.h"

#include "base/log.h"
#include "run/run_log.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <sstream>
#include <utility>
#include <vector>

namespace sightline {

namespace fs = std::filesystem;

namespace {

constexpr const char* kPrefix = "events.out.tfevents.";

double time_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

bool has_events(const fs::path& folder) {
  return std::ranges::any_of(fs::directory_iterator(folder), [](const fs::directory_entry& each) {
    return each.path().filename().string().starts_with(kPrefix);
  });
}

// TensorBoard reads a folder's files in the order of their names.
fs::path next_file(const fs::path& folder) {
  const std::string name = fmt::format("{}{:010}.sightline", kPrefix, std::llround(time_now()));
  fs::path file = folder / name;
  for (int i = 1; fs::exists(file); ++i) file = folder / fmt::format("{}.{:03}", name, i);
  return file;
}

void add_parts(std::vector<Scalar>& scalars, const Json& line, const char* key,
               const std::string& group) {
  if (!line.contains(key)) return;
  for (const auto& [part, value] : line[key].items()) {
    scalars.push_back({group + "/" + part, value.get<double>()});
  }
}

std::vector<Scalar> step_scalars(const Json& line, const Recipe& recipe) {
  constexpr std::pair<const char*, const char*> kNumbers[] = {
      {"loss", "loss"},
      {"gradient_norm", "gradient_norm/all"},
      {"update_norm", "update_norm/all"},
      {"tokens_per_second", "speed/tokens_per_second"},
      {"images_per_second", "speed/images_per_second"},
      {"memory_mib", "memory/MiB"}};
  std::vector<Scalar> scalars;
  for (const auto& [key, tag] : kNumbers) {
    if (line.contains(key) && line[key].is_number()) {
      scalars.push_back({tag, line[key].get<double>()});
    }
  }
  for (const auto& [part, rate] : learning_rates(line, recipe)) {
    scalars.push_back({"learning_rate/" + part, rate});
  }
  add_parts(scalars, line, "gradient_norms", "gradient_norm");
  add_parts(scalars, line, "update_norms", "update_norm");
  return scalars;
}

}  // namespace

double rate_of(const std::string& part, const ByPart& rates) {
  if (part == "vision") return rates.vision.value_or(rates.base);
  if (part == "connector") return rates.connector.value_or(rates.base);
  if (part == "language") return rates.language.value_or(rates.base);
  return rates.base;
}

std::map<std::string, double> learning_rates(const Json& step, const Recipe& recipe) {
  const auto stage = std::ranges::find(recipe.stages, step.value("stage", ""), &StageRecipe::name);
  if (stage == recipe.stages.end() || !step.contains("gradient_norms")) return {};
  std::map<std::string, double> rates;
  for (const auto& each : step["gradient_norms"].items()) {
    rates[each.key()] = rate_of(each.key(), stage->lr) * step.value("lr_factor", 1.0);
  }
  return rates;
}

EventLog::EventLog(const fs::path& folder, int64_t last_step, const Recipe& recipe)
    : recipe_(recipe) {
  try {
    open(folder, last_step);
  } catch (const std::exception& error) {
    give_up(error);
  }
}

void EventLog::open(const fs::path& folder, int64_t last_step) {
  const bool first = !has_events(folder);
  file_.emplace(next_file(folder));
  if (!first) return file_->begin_session(time_now(), last_step + 1);
  std::istringstream lines(log_lines_until(folder / "run.jsonl", last_step));
  for (std::string line; std::getline(lines, line);) tell(Json::parse(line));
}

void EventLog::add(const Json& line) {
  if (!file_) return;
  try {
    tell(line);
  } catch (const std::exception& error) {
    give_up(error);
  }
}

void EventLog::tell(const Json& line) {
  std::vector<Scalar> scalars;
  if (line.contains("evaluation")) {
    add_parts(scalars, line, "evaluation", "evaluation");
  } else if (line.contains("loss")) {
    scalars = step_scalars(line, recipe_);
  }
  if (!scalars.empty()) file_->add(time_now(), line.at("step").get<int64_t>(), scalars);
}

void EventLog::give_up(const std::exception& error) {
  file_.reset();
  log("warning: no more events for TensorBoard are written; training goes on: {}", error.what());
}

}  // namespace sightline
