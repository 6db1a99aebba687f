#pragma once
// Captions of scenes, in varied wording: whole lists ("a small red circle and two large blue
// squares"), lists that leave out the sizes, the place of a lone object ("a red circle at the top
// left"), and how two objects stand to each other ("a red circle left of a blue square and two
// other shapes"). Each is true, and counts every object of the scene.

#include "data/scene.h"

#include <string>
#include <vector>

namespace sightline::scenes {

// `count` captions, no two alike; at most kMostCaptions.
inline constexpr int kMostCaptions = 8;
std::vector<std::string> caption(const Scene& scene, int count, Rng& rng);

// The whole scene in words, so that a reader knows what a beholder does: "objects: red upper circle
// fourth small. ...", the objects in reading order, each with its size, colour, shape, row and
// column in any order. What is known of an object doesn't hang on an order of words, as it doesn't
// where one row of a picture holds all of it; the full stop stands where that row would.
std::string tell(const Scene& scene, Rng& rng);

}  // namespace sightline::scenes
