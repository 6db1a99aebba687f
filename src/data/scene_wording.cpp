#include "data/scene_wording.h"

#include <fmt/format.h>

namespace sightline::scenes {

namespace {

constexpr Form kShape = {.shape = true};
constexpr Form kColour = {.colour = true};
constexpr Form kColourShape = {.colour = true, .shape = true};
constexpr Form kSizeShape = {.size = true, .shape = true};

std::string the(const Description& what) { return "the " + noun(what, 1); }

}  // namespace

Description describe(const Object& object, Form form) {
  Description what;
  if (form.size) what.size = object.size;
  if (form.colour) what.colour = object.colour;
  if (form.shape) what.shape = object.shape;
  return what;
}

Form existence_form(Rng& rng) {
  const uint64_t draw = rng.below(10);
  if (draw < 6) return kColourShape;
  if (draw < 8) return kShape;
  return draw < 9 ? kColour : kSizeShape;
}

Form count_form(Rng& rng) {
  const uint64_t draw = rng.below(10);
  if (draw < 4) return kShape;
  if (draw < 7) return kColour;
  return draw < 9 ? kColourShape : kSizeShape;
}

Form colour_form(Rng& rng) { return rng.below(10) < 6 ? kShape : kSizeShape; }

Form reference_form(Rng& rng) {
  const uint64_t draw = rng.below(10);
  if (draw < 7) return kColourShape;
  return draw < 9 ? kShape : kSizeShape;
}

std::string ask_existence(const Description& what, Rng& rng) {
  const std::string thing = counted_noun(what, 1);
  const uint64_t draw = rng.below(4);
  if (draw < 2) return "is there " + thing;
  return draw == 2 ? "do you see " + thing : "does the picture show " + thing;
}

std::string ask_more(const Description& more, const Description& fewer) {
  return fmt::format("are there more {} than {}", noun(more, 2), noun(fewer, 2));
}

std::string ask_side(const Description& a, Direction direction, const Description& b) {
  return fmt::format("is {} {} {}", the(a), preposition(direction), the(b));
}

std::string ask_count(const Description& what, Rng& rng) {
  const std::string things = noun(what, 2);
  return rng.below(3) < 2 ? fmt::format("how many {} are there", things)
                          : fmt::format("how many {} do you see", things);
}

std::string ask_colour(const Description& what, Rng& rng) {
  return rng.below(3) < 2 ? "what colour is " + the(what)
                          : fmt::format("what is the colour of {}", the(what));
}

std::string ask_relation(const Description& a, Direction direction, const Description& b,
                         Rng& rng) {
  const bool across = direction == Direction::left || direction == Direction::right;
  if (rng.below(3) < 2) {
    return fmt::format("is {} {} {}", the(a), across ? "left or right of" : "above or below",
                       the(b));
  }
  return fmt::format("seen from {} is {} {}", the(b), the(a),
                     across ? "left or right" : "above or below");
}

std::string ask_place(const Description& what) { return "where is " + the(what); }

std::string ask_list() { return "list all shapes"; }

std::string_view preposition(Direction direction) {
  constexpr std::array<std::string_view, 4> kWords = {"left of", "right of", "above", "below"};
  return kWords[static_cast<size_t>(direction)];
}

}  // namespace sightline::scenes
