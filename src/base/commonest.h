#pragma once
// The text that stands most often among others: the majority of people's answers, the most frequent
// caption.

#include <span>
#include <string>

namespace sightline {

// Of equally frequent ones the first that came; at least one text (asserted).
const std::string& commonest(std::span<const std::string> texts);

}  // namespace sightline
