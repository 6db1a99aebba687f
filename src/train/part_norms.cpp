#include "train/part_norms.h"

#include <cmath>

namespace sightline {

void PartSquares::add(std::string_view parameter_name, double square) {
  const std::string_view part = parameter_name.substr(0, parameter_name.find('.'));
  squares_.try_emplace(std::string(part), 0.0).first->second += square;
}

PartNorms PartSquares::norms() const {
  PartNorms norms;
  double sum = 0;
  for (const auto& [part, square] : squares_) {
    norms.parts[part] = std::sqrt(square);
    sum += square;
  }
  norms.all = std::sqrt(sum);
  return norms;
}

}  // namespace sightline
