#include "data/scene_question.h"

#include "data/scene_wording.h"

#include <algorithm>
#include <utility>

namespace sightline::scenes {

namespace {

// Draws a question with its answer, then a scene that fits both. Nothing about the question depends
// on the answer: that is what the header promises.
class SceneMaker {
 public:
  SceneMaker(Split split, uint64_t seed) : split_(split), rng_(seed) {}

  AskedScene yes_no() {
    const uint64_t draw = rng_.below(10);
    if (draw < 7) return existence();
    return draw < 9 ? side() : more();
  }

  AskedScene count() {
    const Object topic = topic_object(/*held_out_share=*/1.0);
    const Description what = describe(topic, count_form(rng_));
    const std::string text = ask_count(what, rng_);
    const int number = below(kMaxObjects + 1);
    return {with_matches(what, topic, number),
            {QuestionKind::count, text, std::string(number_word(number))}};
  }

  // Exactly one object fits the noun phrase. In unseen the object asked about is held out as often
  // as the answer may favour one colour.
  AskedScene colour() {
    Object topic{.shape = static_cast<Shape>(below(kShapes)),
                 .size = static_cast<Size>(below(kSizes))};
    topic.colour = colour_of(topic);
    const Description what = describe(topic, colour_form(rng_));
    std::vector<Object> objects;
    do {
      objects = {topic};
      const int number = 1 + below(kMaxObjects);
      while (std::ssize(objects) < number) {
        const Object other = random_object(split_, rng_);
        if (!what.matches(other)) objects.push_back(other);
      }
    } while (!fits_split(objects));
    return {place_anywhere(std::move(objects), rng_),
            {QuestionKind::colour, ask_colour(what, rng_), std::string(word(topic.colour))}};
  }

  AskedScene relation() {
    const auto [objects, a, b] = pair_of_references();
    const Direction direction = any_direction();
    return {place_related(objects, direction, rng_),
            {QuestionKind::relation, ask_relation(a, direction, b, rng_),
             std::string(word(direction))}};
  }

 private:
  int below(int bound) { return static_cast<int>(rng_.below(static_cast<uint64_t>(bound))); }
  bool coin() { return rng_.below(2) == 0; }
  Direction any_direction() { return static_cast<Direction>(below(4)); }
  static std::string yes_or_no(bool yes) { return yes ? "yes" : "no"; }

  bool fits_split(const std::vector<Object>& objects) const {
    return split_ != Split::unseen || std::any_of(objects.begin(), objects.end(), is_held_out);
  }

  // What to ask about: in unseen something held out, with this probability at least.
  Object topic_object(double held_out_share) {
    Object object = random_object(split_, rng_);
    if (split_ != Split::unseen || rng_.uniform() >= held_out_share) return object;
    const auto held_out = held_out_combinations();
    return held_out[rng_.below(held_out.size())].object();
  }

  Colour colour_of(Object object) {
    const auto draw = [&] { object.colour = static_cast<Colour>(below(kColours)); };
    draw();
    if (split_ == Split::unseen && below(5) == 0) {
      for (const Combination& held : held_out_combinations()) {
        if (held.shape == object.shape && held.size == object.size) object.colour = held.colour;
      }
    }
    while (split_ != Split::unseen && is_held_out(object)) draw();
    return object.colour;
  }

  Object object_like(const Description& what) {
    Object object;
    do object = random_object(split_, rng_);
    while (!what.matches(object));
    return object;
  }

  Object object_unlike(const Object& topic, const std::vector<Description>& whats) {
    for (;;) {
      const Object object = variation(topic, split_, rng_);
      const auto matches = [&](const Description& what) { return what.matches(object); };
      if (std::none_of(whats.begin(), whats.end(), matches)) return object;
    }
  }

  // `number` objects that `what` matches, `topic` the first of them, among others that it doesn't.
  Scene with_matches(const Description& what, const Object& topic, int number) {
    std::vector<Object> objects;
    do {
      objects.clear();
      const int least = std::max(1, number);
      const int all = least + below(kMaxObjects - least + 1);
      if (number > 0) objects.push_back(topic);
      while (std::ssize(objects) < number) objects.push_back(object_like(what));
      while (std::ssize(objects) < all) objects.push_back(object_unlike(topic, {what}));
    } while (!fits_split(objects));
    return place_anywhere(std::move(objects), rng_);
  }

  AskedScene existence() {
    const Object topic = topic_object(/*held_out_share=*/0.75);
    const Description what = describe(topic, existence_form(rng_));
    const std::string text = ask_existence(what, rng_);
    const bool yes = coin();
    const int number = yes ? (below(3) < 2 ? 1 : 2) : 0;
    return {with_matches(what, topic, number), {QuestionKind::yes_no, text, yes_or_no(yes)}};
  }

  AskedScene side() {
    const auto [objects, a, b] = pair_of_references();
    const Direction asked = any_direction();
    const bool yes = coin();
    Direction direction = asked;
    while (!yes && direction == asked) direction = any_direction();
    return {place_related(objects, direction, rng_),
            {QuestionKind::yes_no, ask_side(a, asked, b), yes_or_no(yes)}};
  }

  AskedScene more() {
    static constexpr std::array<std::array<int, 2>, 5> kMore = {
        {{1, 0}, {2, 0}, {2, 1}, {3, 0}, {3, 1}}};
    const Form form = coin() ? Form{.shape = true} : Form{.colour = true};
    const Object first = topic_object(/*held_out_share=*/1.0);
    const Description a = describe(first, form);
    Object second;
    do second = topic_object(/*held_out_share=*/1.0);
    while (a.matches(second));
    const Description b = describe(second, form);

    const bool yes = coin();
    auto [more, fewer] = kMore[rng_.below(kMore.size())];
    if (!yes && below(4) == 0) more = fewer = 1 + below(2);
    if (!yes) std::swap(more, fewer);
    std::vector<Object> objects;
    for (int i = 0; i < more; ++i) objects.push_back(i == 0 ? first : object_like(a));
    for (int i = 0; i < fewer; ++i) objects.push_back(i == 0 ? second : object_like(b));
    const int all = more + fewer + below(kMaxObjects - more - fewer + 1);
    while (std::ssize(objects) < all) objects.push_back(object_unlike(first, {a, b}));
    return {place_anywhere(std::move(objects), rng_),
            {QuestionKind::yes_no, ask_more(a, b), yes_or_no(yes)}};
  }

  struct References {
    std::vector<Object> objects;  // the first two are those that `a` and `b` name
    Description a, b;
  };

  // Two objects with noun phrases that fit them and nothing else in the scene.
  References pair_of_references() {
    Object first = topic_object(/*held_out_share=*/1.0);
    Object second = random_object(split_, rng_);
    if (coin()) std::swap(first, second);
    Description a = describe(first, reference_form(rng_));
    Description b = describe(second, reference_form(rng_));
    if (a.matches(second) || b.matches(first)) return pair_of_references();
    std::vector<Object> objects = {first, second};
    const int all = 2 + below(kMaxObjects - 1);
    while (std::ssize(objects) < all) objects.push_back(object_unlike(first, {a, b}));
    return {std::move(objects), a, b};
  }

  Split split_;
  Rng rng_;
};

}  // namespace

std::string_view word(QuestionKind kind) {
  constexpr std::array<std::string_view, kAskedKinds> kWords = {"yes/no",   "count", "colour",
                                                                "relation", "place", "list"};
  return kWords[static_cast<size_t>(kind)];
}

AskedScene generate_scene(uint64_t seed, Split split, uint64_t number) {
  SceneMaker maker(split, derive_seed(derive_seed(seed, "scene"), word(split), number));
  switch (static_cast<QuestionKind>(number % kQuestionKinds)) {
    case QuestionKind::yes_no:
      return maker.yes_no();
    case QuestionKind::count:
      return maker.count();
    case QuestionKind::colour:
      return maker.colour();
    default:
      return maker.relation();
  }
}

}  // namespace sightline::scenes
