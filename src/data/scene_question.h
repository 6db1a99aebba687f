#pragma once
// Scenes made for a question, and questions about scenes. An answer is one word; a place
// two ("top second"); a list all that there is, in reading order.
//
// The question and its answer are drawn first, independently of each other, and the scene is then
// made to fit both. So a question's words say nothing of its answer, and who doesn't look at the
// picture cannot do better than the most frequent answer: 1/2 of yes/no, 1/5 of counts (zero ..
// four), 1/2 of relations (left or right, above or below), about 1/5 of colours (1/4 in unseen,
// where held-out colours are asked for more often). tests/data/scenes_test.cpp measures these
// bounds.

#include "data/scene.h"

#include <string>
#include <string_view>
#include <vector>

namespace sightline::scenes {

// Scenes are made for the first four. Places and lists are asked for besides them, in training: who
// can say what stands where has what the others need.
enum class QuestionKind { yes_no, count, colour, relation, place, list };
inline constexpr int kQuestionKinds = 4, kAskedKinds = 6;
std::string_view word(QuestionKind kind);  // "yes/no", "count", ...

struct Question {
  QuestionKind kind = QuestionKind::yes_no;
  std::string text;
  std::string answer;
};

struct AskedScene {
  Scene scene;
  Question question;
};

// The scene of this number, with the question that it was made for: kinds take turns by number.
// Always the same for the same arguments.
AskedScene generate_scene(uint64_t seed, Split split, uint64_t number);

// `count` questions about one scene, the one that it was made for first, no two alike. The kinds
// take turns from the first one's on; a kind that the scene doesn't allow gives way to another.
std::vector<Question> ask_about(const AskedScene& asked, Split split, int count, Rng& rng);

}  // namespace sightline::scenes
