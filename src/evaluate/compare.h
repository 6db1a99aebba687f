#pragma once
// Two results of one task beside each other: is the second better by more than chance?

#include "evaluate/task.h"
#include "metric/bootstrap.h"

#include <string>
#include <vector>

namespace sightline {

struct ComparedScore {
  std::string name;
  double first = 0.0, second = 0.0;
  Difference difference;  // second - first, by paired resamples of the examples
};

// The task's scores in their order. Both must answer the same cases: another prompt, other
// references or another number of them is an Error that names the first.
std::vector<ComparedScore> compare(const TaskResult& first, const TaskResult& second);

std::string comparison_text(const TaskResult& first, const TaskResult& second,
                            const std::vector<ComparedScore>& scores);

}  // namespace sightline
