#pragma once
// How questions are worded. Each function draws one of a few wordings, whatever the answer.

#include "data/scene.h"

#include <string>

namespace sightline::scenes {

// Which attributes a noun phrase names.
struct Form {
  bool size = false, colour = false, shape = false;
};
Description describe(const Object& object, Form form);

// Forms of the noun phrases that each kind of question asks about.
Form existence_form(Rng& rng);
Form count_form(Rng& rng);
Form colour_form(Rng& rng);
Form reference_form(Rng& rng);

std::string ask_existence(const Description& what, Rng& rng);
std::string ask_more(const Description& more, const Description& fewer);
std::string ask_side(const Description& a, Direction direction, const Description& b);
std::string ask_count(const Description& what, Rng& rng);
std::string ask_colour(const Description& what, Rng& rng);
// Whether `a` is left or right of `b`, or above or below: along the axis of `direction`, whatever
// its sense.
std::string ask_relation(const Description& a, Direction direction, const Description& b, Rng& rng);

std::string ask_place(const Description& what);
std::string ask_list();

// "left of", "above": what stands between two nouns.
std::string_view preposition(Direction direction);

}  // namespace sightline::scenes
