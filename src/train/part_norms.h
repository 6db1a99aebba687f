#pragma once
// Norms of a step's gradients, or of what it changed the weights by: over all that trains and by
// part, so that a log shows which part of the model moves.

#include <map>
#include <string>
#include <string_view>

namespace sightline {

struct PartNorms {
  double all = 0;
  std::map<std::string, double> parts;  // "vision", "connector", "language": those that train
};

// Sums squares in fp64.
class PartSquares {
 public:
  void add(std::string_view parameter_name, double square);
  PartNorms norms() const;
  std::map<std::string, double, std::less<>>& by_part() { return squares_; }

 private:
  std::map<std::string, double, std::less<>> squares_;
};

}  // namespace sightline
