#pragma once
// What `sightline plan` says: a recipe's plan and its times, as text and as JSON.

#include "base/json.h"
#include "plan/device.h"
#include "plan/plan.h"

#include <string>
#include <vector>

namespace sightline {

struct TimedStage {
  StageTime time;
  double flops_per_second = 0;  // of one device
  std::string how;              // where that comes from
  double peak_memory = 0;       // of this program, measured by the probe; 0: none was made
};

struct PlanTimes {
  std::string device;
  std::vector<TimedStage> stages;
  double device_memory = 0;  // bytes; 0: not known
  double program = 0;        // bytes that this program takes by itself, with no model
};

std::string plan_text(const RecipePlan& plan, const PlanTimes& times);
Json to_json(const RecipePlan& plan, const PlanTimes& times);

}  // namespace sightline
