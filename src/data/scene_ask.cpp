// Questions about a scene as it stands. Their answers follow from the scene, so they can only be
// balanced on the whole: yes is sought as often as no, and the rarer counts are preferred.

#include "base/error.h"
#include "data/scene_question.h"
#include "data/scene_wording.h"

#include <algorithm>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace sightline::scenes {

namespace {

constexpr int kTries = 16;  // before a kind of question is given up for this scene

class Asker {
 public:
  Asker(const Scene& scene, Split split, Rng& rng) : scene_(scene), split_(split), rng_(rng) {}

  std::optional<Question> ask(QuestionKind kind) {
    switch (kind) {
      case QuestionKind::yes_no:
        return yes_no();
      case QuestionKind::count:
        return count();
      case QuestionKind::colour:
        return colour();
      case QuestionKind::relation:
        return relation();
      case QuestionKind::place:
        return place();
      case QuestionKind::list:
        return list();
    }
    SL_ASSERT(false, "kind {}", static_cast<int>(kind));
  }

 private:
  bool coin() { return rng_.below(2) == 0; }
  const Object& present() { return scene_.objects[rng_.below(scene_.objects.size())]; }
  Object imagined() { return variation(present(), split_, rng_); }
  bool is_unique(const Description& what) const { return count_matches(scene_, what) == 1; }

  std::optional<Question> yes_no() {
    const uint64_t draw = rng_.below(10);
    const bool yes = coin();
    if (draw < 7) return existence(yes);
    return draw < 9 ? side(yes) : more(yes);
  }

  static Question answered(std::string text, bool yes) {
    return {QuestionKind::yes_no, std::move(text), yes ? "yes" : "no"};
  }

  std::optional<Question> existence(bool yes) {
    const Form form = existence_form(rng_);
    for (int i = 0; i < kTries; ++i) {
      const Description what = describe(yes ? present() : imagined(), form);
      if ((count_matches(scene_, what) > 0) == yes) {
        return answered(ask_existence(what, rng_), yes);
      }
    }
    return std::nullopt;
  }

  std::optional<Question> more(bool yes) {
    const Form form = coin() ? Form{.shape = true} : Form{.colour = true};
    for (int i = 0; i < kTries; ++i) {
      Description a = describe(present(), form), b = describe(imagined(), form);
      if (a.shape == b.shape && a.colour == b.colour) continue;
      if (coin()) std::swap(a, b);
      if ((count_matches(scene_, a) > count_matches(scene_, b)) == yes) {
        return answered(ask_more(a, b), yes);
      }
    }
    return std::nullopt;
  }

  struct Pair {
    Description a, b;
    Direction direction;  // of a, seen from b
  };

  std::optional<Pair> related_pair() {
    for (int i = 0; i < kTries; ++i) {
      const Object &first = present(), &second = present();
      const auto direction = direction_from(first, second);
      if (!direction) continue;
      const Description a = describe(first, reference_form(rng_));
      const Description b = describe(second, reference_form(rng_));
      if (is_unique(a) && is_unique(b)) return Pair{a, b, *direction};
    }
    return std::nullopt;
  }

  std::optional<Question> side(bool yes) {
    const auto pair = related_pair();
    if (!pair) return std::nullopt;
    Direction asked = pair->direction;
    while (!yes && asked == pair->direction) asked = static_cast<Direction>(rng_.below(4));
    return answered(ask_side(pair->a, asked, pair->b), yes);
  }

  std::optional<Question> relation() {
    const auto pair = related_pair();
    if (!pair) return std::nullopt;
    return Question{QuestionKind::relation, ask_relation(pair->a, pair->direction, pair->b, rng_),
                    std::string(word(pair->direction))};
  }

  std::optional<Question> colour() {
    for (int i = 0; i < kTries; ++i) {
      const Object& object = present();
      const Description what = describe(object, colour_form(rng_));
      if (is_unique(what)) {
        return Question{QuestionKind::colour, ask_colour(what, rng_),
                        std::string(word(object.colour))};
      }
    }
    return std::nullopt;
  }

  static std::string place_of(const Object& object) {
    return fmt::format("{} {}", row_word(object.row), column_word(object.column));
  }

  std::optional<Question> place() {
    for (int i = 0; i < kTries; ++i) {
      const Object& object = present();
      const Description what = describe(object, reference_form(rng_));
      if (is_unique(what)) {
        return Question{QuestionKind::place, ask_place(what), place_of(object)};
      }
    }
    return std::nullopt;
  }

  std::optional<Question> list() {
    std::vector<std::string> objects;
    for (const Object& object : scene_.objects) {
      const std::string whole =
          noun({.size = object.size, .colour = object.colour, .shape = object.shape}, 1);
      objects.push_back(fmt::format("{} {}", whole, place_of(object)));
    }
    return Question{QuestionKind::list, ask_list(), fmt::format("{}", fmt::join(objects, " and "))};
  }

  // One of several noun phrases, by the weight of its number.
  std::optional<Question> count() {
    constexpr std::array<uint64_t, kMaxObjects + 1> kWeights = {2, 1, 4, 16, 40};
    Description chosen;
    int number = 0;
    uint64_t total = 0;
    for (int i = 0; i < kTries; ++i) {
      const Description what = describe(coin() ? present() : imagined(), count_form(rng_));
      const int found = count_matches(scene_, what);
      const uint64_t weight = kWeights[static_cast<size_t>(found)];
      total += weight;
      if (rng_.below(total) >= weight) continue;
      chosen = what;
      number = found;
    }
    return Question{QuestionKind::count, ask_count(chosen, rng_), std::string(number_word(number))};
  }

  const Scene& scene_;
  Split split_;
  Rng& rng_;
};

}  // namespace

std::vector<Question> ask_about(const AskedScene& asked, Split split, int count, Rng& rng) {
  Asker asker(asked.scene, split, rng);
  std::vector<Question> questions = {asked.question};
  auto kind = static_cast<int>(asked.question.kind);
  while (std::ssize(questions) < count) {
    kind = (kind + 1) % kAskedKinds;
    const auto question = asker.ask(static_cast<QuestionKind>(kind));
    if (!question) continue;
    const auto same = [&](const Question& other) { return other.text == question->text; };
    if (std::none_of(questions.begin(), questions.end(), same)) questions.push_back(*question);
  }
  return questions;
}

}  // namespace sightline::scenes
