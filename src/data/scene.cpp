#include "data/scene.h"

#include "base/error.h"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

namespace sightline::scenes {

namespace {

constexpr std::array<Combination, 4> kHeldOut = {{
    {Size::small, Colour::blue, Shape::circle},
    {Size::large, Colour::purple, Shape::square},
    {Size::small, Colour::green, Shape::triangle},
    {Size::large, Colour::yellow, Shape::star},
}};

constexpr std::array<Rgb, kColours> kPalette = {{
    {215, 30, 40},   // red
    {30, 150, 60},   // green
    {40, 80, 215},   // blue
    {245, 220, 40},  // yellow
    {135, 45, 170},  // purple
    {250, 130, 20},  // orange
}};
constexpr int kShade = 8;       // a painted channel is at most so far from the palette's
constexpr int kLightest = 238;  // of a background's grey
constexpr int kDarkest = 188;
constexpr int kTint = 6;  // a background's channel is at most so far from its grey

constexpr double kHeldOutShare = 0.25;  // of the objects of unseen, beside those drawn by chance

int below(Rng& rng, int bound) { return static_cast<int>(rng.below(static_cast<uint64_t>(bound))); }
int around(Rng& rng, int spread) { return below(rng, 2 * spread + 1) - spread; }

uint8_t channel(int value) { return static_cast<uint8_t>(std::clamp(value, 0, 255)); }

// Large objects nearly fill their cell and leave a pixel of play, small ones two.
int play(Size size) { return size == Size::large ? 1 : 2; }

void put(Object& object, int cell) {
  object.row = cell / kGrid;
  object.column = cell % kGrid;
}

bool same_cell(const Object& a, const Object& b) { return a.row == b.row && a.column == b.column; }

// Places objects[first ..] in cells that those before them leave free, and finishes the scene.
Scene place_rest(std::vector<Object> objects, size_t first, Rng& rng) {
  for (size_t i = first; i < objects.size(); ++i) {
    const auto taken = [&](const Object& other) { return same_cell(other, objects[i]); };
    const auto end = objects.begin() + static_cast<ptrdiff_t>(i);
    do put(objects[i], below(rng, kGrid * kGrid));
    while (std::any_of(objects.begin(), end, taken));
  }
  std::sort(objects.begin(), objects.end(), [](const Object& a, const Object& b) {
    return a.row != b.row ? a.row < b.row : a.column < b.column;
  });
  Scene scene;
  for (Object& object : objects) {
    object.offset_x = around(rng, play(object.size));
    object.offset_y = around(rng, play(object.size));
    const Rgb& pure = kPalette[static_cast<size_t>(object.colour)];
    for (size_t c = 0; c < 3; ++c) object.paint[c] = channel(pure[c] + around(rng, kShade));
  }
  const int grey = kDarkest + below(rng, kLightest - kDarkest + 1);
  for (uint8_t& value : scene.background) value = channel(grey + around(rng, kTint));
  scene.objects = std::move(objects);
  return scene;
}

}  // namespace

std::span<const Combination> held_out_combinations() { return kHeldOut; }

bool is_held_out(const Object& object) {
  return std::any_of(kHeldOut.begin(), kHeldOut.end(), [&](const Combination& held) {
    return held.size == object.size && held.colour == object.colour && held.shape == object.shape;
  });
}

bool has_held_out(const Scene& scene) {
  return std::any_of(scene.objects.begin(), scene.objects.end(), is_held_out);
}

bool Description::matches(const Object& object) const {
  return (!size || *size == object.size) && (!colour || *colour == object.colour) &&
         (!shape || *shape == object.shape);
}

int count_matches(const Scene& scene, const Description& description) {
  return static_cast<int>(
      std::count_if(scene.objects.begin(), scene.objects.end(),
                    [&](const Object& object) { return description.matches(object); }));
}

std::optional<Direction> direction_from(const Object& a, const Object& b) {
  const int right = a.column - b.column, down = a.row - b.row;
  if (right == 0 && down == 0) return std::nullopt;
  if (std::abs(right) >= 2 * std::abs(down)) return right < 0 ? Direction::left : Direction::right;
  if (std::abs(down) >= 2 * std::abs(right)) return down < 0 ? Direction::above : Direction::below;
  return std::nullopt;
}

std::string_view word(Shape shape) {
  constexpr std::array<std::string_view, kShapes> kWords = {"circle", "square", "triangle", "star",
                                                            "cross"};
  return kWords[static_cast<size_t>(shape)];
}

std::string_view word(Colour colour) {
  constexpr std::array<std::string_view, kColours> kWords = {"red",    "green",  "blue",
                                                             "yellow", "purple", "orange"};
  return kWords[static_cast<size_t>(colour)];
}

std::string_view word(Size size) { return size == Size::small ? "small" : "large"; }

std::string_view word(Direction direction) {
  constexpr std::array<std::string_view, 4> kWords = {"left", "right", "above", "below"};
  return kWords[static_cast<size_t>(direction)];
}

std::string_view word(Split split) {
  constexpr std::array<std::string_view, 3> kWords = {"train", "validation", "unseen"};
  return kWords[static_cast<size_t>(split)];
}

std::string_view number_word(int number) {
  constexpr std::array<std::string_view, kMaxObjects + 1> kWords = {"zero", "one", "two", "three",
                                                                    "four"};
  SL_ASSERT(number >= 0 && number <= kMaxObjects, "no word for {}", number);
  return kWords[static_cast<size_t>(number)];
}

std::string_view row_word(int row) {
  constexpr std::array<std::string_view, kGrid> kWords = {"top", "upper", "lower", "bottom"};
  return kWords[static_cast<size_t>(row)];
}

std::string_view column_word(int column) {
  constexpr std::array<std::string_view, kGrid> kWords = {"first", "second", "third", "fourth"};
  return kWords[static_cast<size_t>(column)];
}

std::string noun(const Description& description, int number) {
  std::string text;
  if (description.size) text += fmt::format("{} ", word(*description.size));
  if (description.colour) text += fmt::format("{} ", word(*description.colour));
  text += description.shape ? word(*description.shape) : "shape";
  if (number != 1) text += text.ends_with('s') ? "es" : "s";
  return text;
}

std::string counted_noun(const Description& description, int number) {
  const std::string name = noun(description, number);
  if (number != 1) return fmt::format("{} {}", number_word(number), name);
  return fmt::format("{} {}", name.starts_with("orange") ? "an" : "a", name);
}

Object random_object(Split split, Rng& rng) {
  Object object;
  object.size = static_cast<Size>(below(rng, kSizes));
  if (split == Split::unseen && rng.uniform() < kHeldOutShare) {
    return kHeldOut[rng.below(kHeldOut.size())].object();
  }
  do {
    object.shape = static_cast<Shape>(below(rng, kShapes));
    object.colour = static_cast<Colour>(below(rng, kColours));
  } while (split != Split::unseen && is_held_out(object));
  return object;
}

Object variation(const Object& object, Split split, Rng& rng) {
  for (;;) {
    const Object fresh = random_object(split, rng);
    Object changed = object;
    switch (below(rng, 6)) {
      case 0:
        changed.shape = fresh.shape;
        break;
      case 1:
        changed.colour = fresh.colour;
        break;
      case 2:
        changed.size = fresh.size;
        break;
      default:
        return fresh;
    }
    if (split == Split::unseen || !is_held_out(changed)) return changed;
  }
}

Scene place_anywhere(std::vector<Object> objects, Rng& rng) {
  return place_rest(std::move(objects), 0, rng);
}

Scene place_related(std::vector<Object> objects, Direction direction, Rng& rng) {
  SL_ASSERT(objects.size() >= 2, "{} objects cannot be related", objects.size());
  do {
    put(objects[0], below(rng, kGrid * kGrid));
    put(objects[1], below(rng, kGrid * kGrid));
  } while (direction_from(objects[0], objects[1]) != direction);
  return place_rest(std::move(objects), 2, rng);
}

}  // namespace sightline::scenes
