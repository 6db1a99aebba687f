#pragma once
// Small scenes: 64 x 64 pictures of one to four coloured shapes on a plain background, the input of
// the embedded demo. A scene is plain data; scene_draw.h paints it, scene_question.h makes it and
// asks about it, scene_caption.h describes it.
//
// Objects stand in the cells of a 4 x 4 grid, at most one a cell and each wholly inside its cell,
// so that they never overlap. A cell is 16 pixels wide: 2 x 2 patches of 8 pixels, which a shuffle
// connector of factor 2 makes one token of.

#include "base/rng.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sightline::scenes {

inline constexpr int kGrid = 4;
inline constexpr int kCell = 16;  // pixels
inline constexpr int kSide = kGrid * kCell;
inline constexpr int kMaxObjects = 4;

enum class Shape : uint8_t { circle, square, triangle, star, cross };
enum class Colour : uint8_t { red, green, blue, yellow, purple, orange };
enum class Size : uint8_t { small, large };
inline constexpr int kShapes = 5, kColours = 6, kSizes = 2;

using Rgb = std::array<uint8_t, 3>;

struct Object {
  Shape shape = Shape::circle;
  Colour colour = Colour::red;
  Size size = Size::small;
  int row = 0, column = 0;         // cell, from the top left
  int offset_x = 0, offset_y = 0;  // pixels from the cell's centre
  Rgb paint{};                     // its colour as painted: a shade of `colour`
};

// Objects lie in reading order: by row, then by column.
struct Scene {
  std::vector<Object> objects;
  Rgb background{};
};

// train and validation never hold a combination that is held out; each scene of unseen holds one.
// No two splits share a random stream.
enum class Split { train, validation, unseen };

struct Combination {
  Size size;
  Colour colour;
  Shape shape;

  Object object() const { return {.shape = shape, .colour = colour, .size = size}; }
};
// The held-out combinations, such as small blue circles: of different colours and shapes, so that
// all that they are made of, and any two of the three, is otherwise well known.
std::span<const Combination> held_out_combinations();
bool is_held_out(const Object& object);
bool has_held_out(const Scene& scene);

// What a noun phrase says: "large squares" names a size and a shape and leaves the colour open.
struct Description {
  std::optional<Size> size;
  std::optional<Colour> colour;
  std::optional<Shape> shape;

  bool matches(const Object& object) const;
};
int count_matches(const Scene& scene, const Description& description);

// Where `a` is seen from `b`, where that is clear: the distance along one axis, in cells, is at
// least twice that along the other. Nothing otherwise.
enum class Direction : uint8_t { left, right, above, below };
std::optional<Direction> direction_from(const Object& a, const Object& b);

std::string_view word(Shape shape);
std::string_view word(Colour colour);
std::string_view word(Size size);
std::string_view word(Direction direction);
std::string_view word(Split split);
std::string_view number_word(int number);  // zero .. four
// Of words that stand for nothing else: a place is known by its two words in whatever order.
std::string_view row_word(int row);        // top, upper, lower, bottom
std::string_view column_word(int column);  // first .. fourth

// "small red circle", "red circles", "shape": plural where `number` is not 1.
std::string noun(const Description& description, int number);
// "a red circle", "an orange star", "two red circles".
std::string counted_noun(const Description& description, int number);

// An object of the split's attributes, drawn at random: nothing held out in train and validation,
// more of it than chance would give in unseen. Its place is not set.
Object random_object(Split split, Rng& rng);
// As often as not an object like `object` but for one attribute, else any: what is asked about, or
// stands by, so that a glance at one attribute doesn't answer a question. It may be equal.
Object variation(const Object& object, Split split, Rng& rng);
// Puts the objects into cells of their own, at random, and picks shades and the background.
Scene place_anywhere(std::vector<Object> objects, Rng& rng);
// The same, with objects[0] seen clearly in `direction` from objects[1].
Scene place_related(std::vector<Object> objects, Direction direction, Rng& rng);

}  // namespace sightline::scenes
