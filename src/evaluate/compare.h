#pragma once
// Two results of one task beside each other: is the second better by more than chance?

#include "evaluate/task.h"
#include "metric/bootstrap.h"

#include <span>
#include <string>
#include <vector>

namespace sightline {

// One seed of both systems, or one other thing that they share.
struct ResultPair {
  TaskResult first, second;
};

struct ComparedScore {
  std::string name;
  double first = 0.0, second = 0.0;  // means over the pairs
  Difference difference;  // second - first, by paired resamples of the examples, the same in all
  std::vector<double> differences;  // of each pair
};

// The task's scores in their order, over at least one pair (asserted). All must answer the same
// cases: another prompt, other references or another number of them is an Error that names the
// first. The interval says what other examples would change. With several pairs it is of the mean
// over these seeds; what other seeds would change is to be read off `differences`.
std::vector<ComparedScore> compare(std::span<const ResultPair> pairs);

std::string comparison_text(std::span<const ResultPair> pairs,
                            const std::vector<ComparedScore>& scores);

}  // namespace sightline
