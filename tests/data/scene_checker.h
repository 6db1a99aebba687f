#pragma once
// Reads captions and questions of scenes and holds them against the scene: a parser of its own,
// which shares nothing with the generator but the scene's data. What it cannot read is thrown.

#include "data/scene.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace sightline::scenes::test {

using Words = std::vector<std::string>;

inline Words split_words(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

inline int place_in(const Words& table, const std::string& text) {
  const auto found = std::find(table.begin(), table.end(), text);
  return found == table.end() ? -1 : static_cast<int>(found - table.begin());
}

inline const Words kShapeWords = {"circle", "square", "triangle", "star", "cross"};
inline const Words kColourWords = {"red", "green", "blue", "yellow", "purple", "orange"};
inline const Words kNumberWords = {"zero", "one", "two", "three", "four"};
inline const Words kRowWords = {"top", "upper", "lower", "bottom"};
inline const Words kColumnWords = {"first", "second", "third", "fourth"};

inline std::string place_words(const Object& object) {
  return kRowWords[static_cast<size_t>(object.row)] + " " +
         kColumnWords[static_cast<size_t>(object.column)];
}

// A noun phrase as read; -1: not named.
struct Noun {
  int number = -1, size = -1, colour = -1, shape = -1;
  bool definite = false, plural = false;

  bool fits(const Object& object) const {
    return (size < 0 || size == static_cast<int>(object.size)) &&
           (colour < 0 || colour == static_cast<int>(object.colour)) &&
           (shape < 0 || shape == static_cast<int>(object.shape));
  }
  int count(const Scene& scene) const {
    return static_cast<int>(std::count_if(scene.objects.begin(), scene.objects.end(),
                                          [&](const Object& object) { return fits(object); }));
  }
  const Object* only(const Scene& scene) const {
    if (count(scene) != 1) throw std::runtime_error("an ambiguous noun");
    return &*std::find_if(scene.objects.begin(), scene.objects.end(),
                          [&](const Object& object) { return fits(object); });
  }
};

// Reads a text from left to right; what it doesn't expect is thrown.
class Reader {
 public:
  explicit Reader(const std::string& text) : text_(text), words_(split_words(text)) {}

  bool done() const { return at_ == words_.size(); }
  bool take(const std::string& phrase) {
    const Words wanted = split_words(phrase);
    if (words_.size() - at_ < wanted.size()) return false;
    if (!std::equal(wanted.begin(), wanted.end(), words_.begin() + static_cast<ptrdiff_t>(at_))) {
      return false;
    }
    at_ += wanted.size();
    return true;
  }
  void need(bool holds) const {
    if (!holds) throw std::runtime_error("cannot read '" + text_ + "'");
  }
  Noun noun() {
    Noun noun;
    const bool a = take("a"), an = !a && take("an");
    if (a || an) noun.number = 1;
    if (a || an) need(an == (std::string("aeiou").find(word()[0]) != std::string::npos));
    if (noun.number < 0) noun.definite = take("the");
    if (noun.number < 0 && !noun.definite) noun.number = place_in(kNumberWords, word());
    if (noun.number > 1) ++at_;
    noun.size = place_in({"small", "large"}, word());
    if (noun.size >= 0) ++at_;
    noun.colour = place_in(kColourWords, word());
    if (noun.colour >= 0) ++at_;
    noun.plural =
        place_in({"circles", "squares", "triangles", "stars", "crosses", "shapes"}, word()) >= 0;
    for (int i = 0; i < 5; ++i) {
      if (word().starts_with(kShapeWords[static_cast<size_t>(i)])) noun.shape = i;
    }
    need(noun.plural || noun.shape >= 0 || word() == "shape");
    if (noun.number >= 0) need(noun.plural == (noun.number != 1));
    ++at_;
    return noun;
  }
  int direction() {  // -1: none
    const Words phrases = {"left of", "right of", "above", "below"};
    for (int i = 0; i < 4; ++i) {
      if (take(phrases[static_cast<size_t>(i)])) return i;
    }
    return -1;
  }
  const std::string& word() const {
    need(!done());
    return words_[at_];
  }

 private:
  std::string text_;
  Words words_;
  size_t at_ = 0;
};

// By the pixels between centres: far enough along one axis, and clearly farther than along the
// other.
inline int side_of(const Object& a, const Object& b) {
  const int x = (a.column - b.column) * 16 + a.offset_x - b.offset_x;
  const int y = (a.row - b.row) * 16 + a.offset_y - b.offset_y;
  if (std::abs(x) >= 12 && 5 * std::abs(x) > 6 * std::abs(y)) return x < 0 ? 0 : 1;
  if (std::abs(y) >= 12 && 5 * std::abs(y) > 6 * std::abs(x)) return y < 0 ? 2 : 3;
  throw std::runtime_error("an unclear relation");
}

inline std::string answer_to(const std::string& text, const Scene& scene) {
  const auto yes_or_no = [](bool yes) { return std::string(yes ? "yes" : "no"); };
  const Words sides = {"left", "right", "above", "below"};
  Reader read(text);
  if (read.take("is there") || read.take("do you see") || read.take("does the picture show")) {
    return yes_or_no(read.noun().count(scene) > 0);
  }
  if (read.take("are there more")) {
    const Noun a = read.noun();
    read.need(read.take("than"));
    return yes_or_no(a.count(scene) > read.noun().count(scene));
  }
  if (read.take("how many")) {
    const Noun what = read.noun();
    read.need(what.plural && (read.take("are there") || read.take("do you see")) && read.done());
    return kNumberWords[static_cast<size_t>(what.count(scene))];
  }
  if (read.take("what colour is") || read.take("what is the colour of")) {
    const Noun what = read.noun();
    read.need(what.definite && what.colour < 0 && read.done());
    return kColourWords[static_cast<size_t>(what.only(scene)->colour)];
  }
  if (read.take("seen from")) {
    const Noun b = read.noun();
    read.need(read.take("is"));
    const Noun a = read.noun();
    read.need(read.take("left or right") || read.take("above or below"));
    read.need(a.definite && b.definite && read.done());
    return sides[static_cast<size_t>(side_of(*a.only(scene), *b.only(scene)))];
  }
  if (read.take("where is")) {
    const Noun what = read.noun();
    read.need(what.definite && read.done());
    const Object& object = *what.only(scene);
    return place_words(object);
  }
  if (read.take("list all shapes")) {
    std::string all;
    for (const Object& object : scene.objects) {
      all += all.empty() ? "" : " and ";
      all += object.size == Size::small ? "small " : "large ";
      all += kColourWords[static_cast<size_t>(object.colour)] + " ";
      all += kShapeWords[static_cast<size_t>(object.shape)] + " " + place_words(object);
    }
    return all;
  }
  read.need(read.take("is"));
  const Noun a = read.noun();
  const bool either = read.take("left or right of") || read.take("above or below");
  const int side = either ? 0 : read.direction();
  const Noun b = read.noun();
  if (either) return sides[static_cast<size_t>(side_of(*a.only(scene), *b.only(scene)))];
  read.need(side >= 0 && a.definite && b.definite && read.done());
  return yes_or_no(side_of(*a.only(scene), *b.only(scene)) == side);
}

inline bool relation_holds(const Scene& scene, const Noun& a, int side, const Noun& b) {
  for (const Object& first : scene.objects) {
    for (const Object& second : scene.objects) {
      if (&first == &second || !a.fits(first) || !b.fits(second)) continue;
      try {
        if (side_of(first, second) == side) return true;
      } catch (const std::runtime_error&) {
        continue;  // another pair may stand more clearly
      }
    }
  }
  return false;
}

inline bool place_holds(Reader& read, const Object& object) {
  if (read.take("in the middle")) {
    return std::set<int>{1, 2}.contains(object.row) && std::set<int>{1, 2}.contains(object.column);
  }
  read.need(read.take("at the"));
  const int row = read.take("top") ? 0 : read.take("bottom") ? 3 : -1;
  const int column = read.take("left") ? 0 : read.take("right") ? 3 : -1;
  return (row < 0 ? object.row % 3 != 0 : object.row == row) &&
         (column < 0 ? object.column % 3 != 0 : object.column == column);
}

inline bool is_true_caption(const std::string& text, const Scene& scene) {
  const int objects = static_cast<int>(scene.objects.size());
  Reader read(text);
  const bool is = read.take("there is"), are = !is && read.take("there are");
  if (!is && !are && !read.take("a picture of") && !read.take("this picture shows")) {
    read.take("you see");
  }
  Noun noun = read.noun();
  if ((is && noun.number != 1) || (are && noun.number == 1)) return false;
  if (const int side = !read.done() ? read.direction() : -1; side >= 0) {
    if (!relation_holds(scene, noun, side, read.noun())) return false;
    if (read.done()) return objects == 2;
    read.need(read.take("and"));
    const int others = place_in(kNumberWords, read.word());
    read.take(read.word());
    return read.take(others == 1 ? "other shape" : "other shapes") && read.done() &&
           objects == 2 + others;
  }
  int said = 0;
  for (;;) {
    if (noun.number < 1 || noun.count(scene) != noun.number) return false;
    said += noun.number;
    if (!read.take("and")) break;
    noun = read.noun();
  }
  if (said != objects) return false;
  if (read.done()) return true;
  return objects == 1 && place_holds(read, scene.objects[0]) && read.done();
}

}  // namespace sightline::scenes::test
