#pragma once
// Cross-validation over pictures: which part of a data set each of them belongs to.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sightline {

// The fold, from 1 to `folds`, of each picture file, by its bytes: the same bytes under two names
// are one picture, so that none stands on both sides. The pictures in the order of their content
// keys (base/hash.h) are dealt round, so that folds differ by one picture at most and neither names
// nor order matter. A file that cannot be read is dealt by its path; the loader meets it again.
std::vector<int64_t> folds_of(std::span<const std::string> files, int64_t folds);

}  // namespace sightline
