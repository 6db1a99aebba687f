#include "data/scenes.h"

#include "base/error.h"
#include "data/scene_caption.h"
#include "data/scene_draw.h"
#include "data/scene_question.h"
#include "image/encode.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace sightline {

namespace {

using namespace scenes;

constexpr int kCaptions = 3;
constexpr int kReferenceCaptions = 5;
constexpr int kQuestions = 6;
constexpr int kQuestionsInWords = 12;

enum class Task { caption, question, both, text };

// The entry of `words` that equals `value`, as its number.
template <size_t N>
size_t choose(const std::array<std::string_view, N>& words, const std::string& value,
              const char* key, const std::string& name, const DataRecipe& recipe) {
  const auto found = std::find(words.begin(), words.end(), value);
  if (found == words.end()) {
    fail_usage("{}: [data.{}] {} = \"{}\" is none of a scene's; give one of {}", recipe.where, name,
               key, value, fmt::join(words, ", "));
  }
  return static_cast<size_t>(found - words.begin());
}

class Scenes : public Dataset {
 public:
  Scenes(std::string name, const DataRecipe& recipe, Split split, Task task)
      : name_(std::move(name)),
        prompt_(recipe.prompt),
        seed_(recipe.seed),
        split_(split),
        task_(task),
        size_(static_cast<size_t>(recipe.count)) {
    if (recipe.limit > 0) size_ = std::min(size_, static_cast<size_t>(recipe.limit));
  }

  size_t size() const override { return size_; }

  Example example(size_t number) const override {
    SL_ASSERT(number < size_, "example {} of {}", number, size_);
    const AskedScene asked = generate_scene(seed_, split_, number);
    Example example{.where = fmt::format("{}:{}", name_, number)};
    const bool is_told = task_ == Task::text;
    const bool is_scored = split_ != Split::train && (is_told || task_ == Task::question);
    std::string told;  // in place of the picture; conversations share it as they share a picture
    if (is_told) {
      Rng rng = stream("told", number);
      told = tell(asked.scene, rng);
    } else {
      example.images.push_back(
          {.encoded = std::make_shared<const std::string>(encode_png(draw(asked.scene)))});
    }
    const auto add = [&](const std::string& words, const std::string& answer) {
      const std::string said = told.empty() || words.empty() ? told + words : told + "\n" + words;
      example.conversations.push_back(
          {{Role::user, said, is_told ? 0 : 1}, {Role::assistant, answer, 0}});
      example.references.push_back(answer);
    };
    if (task_ != Task::question && !is_scored) {
      const bool references = task_ == Task::caption && split_ != Split::train;
      for (const std::string& text :
           captions(asked, number, references ? kReferenceCaptions : kCaptions)) {
        add(prompt_, text);
      }
    }
    if (task_ != Task::caption) {
      if (is_scored) example.kind = word(asked.question.kind);
      const int count = is_scored ? 1 : is_told ? kQuestionsInWords : kQuestions;
      for (const Question& question : questions(asked, number, count)) {
        add(question.text, question.answer);
      }
    }
    return example;
  }

 private:
  // Words draw from streams of their own, so that they are the same in every task.
  Rng stream(std::string_view purpose, uint64_t number) const {
    return Rng(derive_seed(derive_seed(seed_, purpose), word(split_), number));
  }
  std::vector<std::string> captions(const AskedScene& asked, uint64_t number, int count) const {
    Rng rng = stream("captions", number);
    return caption(asked.scene, count, rng);
  }
  std::vector<Question> questions(const AskedScene& asked, uint64_t number, int count) const {
    Rng rng = stream("questions", number);
    return ask_about(asked, split_, count, rng);
  }

  std::string name_;
  std::string prompt_;
  uint64_t seed_;
  Split split_;
  Task task_;
  size_t size_;
};

}  // namespace

std::unique_ptr<Dataset> open_scenes(const std::string& name, const DataRecipe& recipe) {
  constexpr std::array<std::string_view, 3> kSplits = {"train", "validation", "unseen"};
  constexpr std::array<std::string_view, 4> kTasks = {"caption", "question", "both", "text"};
  if (recipe.count <= 0) {
    fail_usage("{}: [data.{}] count = {} makes no scenes; give how many", recipe.where, name,
               recipe.count);
  }
  const auto split = static_cast<Split>(choose(kSplits, recipe.split, "split", name, recipe));
  const auto task = static_cast<Task>(choose(kTasks, recipe.task, "task", name, recipe));
  return std::make_unique<Scenes>(name, recipe, split, task);
}

}  // namespace sightline
