#include "data/scene_caption.h"

#include "base/error.h"
#include "data/scene_wording.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace sightline::scenes {

namespace {

constexpr Form kWhole = {.size = true, .colour = true, .shape = true};
constexpr Form kSizeless = {.colour = true, .shape = true};

// What a caption says, and whether its first noun is plural (there are, not there is).
struct Phrase {
  std::string text;
  bool plural = false;
};

// Every object, equal ones counted together, in reading order.
Phrase list(const Scene& scene, Form form) {
  Phrase phrase;
  std::vector<Description> said;
  for (const Object& object : scene.objects) {
    const auto covers = [&](const Description& what) { return what.matches(object); };
    if (std::any_of(said.begin(), said.end(), covers)) continue;
    said.push_back(describe(object, form));
    const int number = count_matches(scene, said.back());
    if (said.size() == 1) phrase.plural = number > 1;
    if (said.size() > 1) phrase.text += " and ";
    phrase.text += counted_noun(said.back(), number);
  }
  return phrase;
}

std::string place(const Object& object) {
  const std::string_view down = object.row == 0 ? "top" : object.row == kGrid - 1 ? "bottom" : "";
  const std::string_view across = object.column == 0           ? "left"
                                  : object.column == kGrid - 1 ? "right"
                                                               : "";
  if (down.empty() && across.empty()) return "in the middle";
  return fmt::format("at the {}{}{}", down, down.empty() || across.empty() ? "" : " ", across);
}

// Two objects that stand clearly to each other, and how many others there are. Held-out objects
// come first where there are any: they are what unseen scenes are for.
std::optional<Phrase> relation(const Scene& scene, Form form, Rng& rng) {
  struct Pair {
    const Object *a, *b;
    Direction direction;
  };
  std::vector<Pair> pairs, telling;
  for (const Object& a : scene.objects) {
    for (const Object& b : scene.objects) {
      const auto direction = direction_from(a, b);
      if (!direction || describe(b, form).matches(a)) continue;
      pairs.push_back({&a, &b, *direction});
      if (is_held_out(a) || is_held_out(b)) telling.push_back(pairs.back());
    }
  }
  if (!telling.empty()) pairs = std::move(telling);
  if (pairs.empty()) return std::nullopt;
  const Pair& pair = pairs[rng.below(pairs.size())];
  std::string text =
      fmt::format("{} {} {}", counted_noun(describe(*pair.a, form), 1), preposition(pair.direction),
                  counted_noun(describe(*pair.b, form), 1));
  const int others = static_cast<int>(scene.objects.size()) - 2;
  if (others == 1) text += " and one other shape";
  if (others > 1) text += fmt::format(" and {} other shapes", number_word(others));
  return Phrase{text};
}

Phrase phrase_of(const Scene& scene, Rng& rng) {
  const Form form = rng.below(3) < 2 ? kWhole : kSizeless;
  const uint64_t draw = rng.below(10);
  if (scene.objects.size() == 1 && draw < 6) {
    return {fmt::format("{} {}", list(scene, form).text, place(scene.objects[0]))};
  }
  if (draw < 2) {
    if (const auto related = relation(scene, form, rng)) return *related;
  }
  return list(scene, form);
}

std::string opened(const Phrase& phrase, Rng& rng) {
  const uint64_t draw = rng.below(20);
  if (draw < 8) return phrase.text;
  if (draw < 12) return fmt::format("there {} {}", phrase.plural ? "are" : "is", phrase.text);
  if (draw < 15) return "a picture of " + phrase.text;
  return draw < 18 ? "this picture shows " + phrase.text : "you see " + phrase.text;
}

}  // namespace

std::vector<std::string> caption(const Scene& scene, int count, Rng& rng) {
  SL_ASSERT(count <= kMostCaptions, "{} captions", count);
  std::vector<std::string> captions;
  while (std::ssize(captions) < count) {
    std::string text = opened(phrase_of(scene, rng), rng);
    if (std::find(captions.begin(), captions.end(), text) == captions.end()) {
      captions.push_back(std::move(text));
    }
  }
  return captions;
}

std::string tell(const Scene& scene, Rng& rng) {
  std::string told = "objects:";
  for (const Object& object : scene.objects) {
    const std::array<std::string_view, 5> words = {word(object.size), word(object.colour),
                                                   word(object.shape), row_word(object.row),
                                                   column_word(object.column)};
    for (const size_t which : permutation(words.size(), rng.next())) {
      told += fmt::format(" {}", words[which]);
    }
    told += '.';
  }
  return told;
}

}  // namespace sightline::scenes
