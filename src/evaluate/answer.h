#pragma once
// Questions about pictures -> answers in words, many at a time. What `caption`, `ask` and the tasks
// share.

#include "bundle/bundle.h"
#include "evaluate/task.h"
#include "generate/generator.h"
#include "generate/search.h"
#include "sample/encoder.h"
#include "sample/example.h"

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace sightline {

struct Question {
  std::vector<ImageSource> images;
  std::vector<Turn> turns;  // up to where the assistant is to speak; they show all the images
  std::string where;        // names it in errors
};

struct Answer {
  std::string text;  // trimmed, without special tokens, up to the first stop string
  Generated generated;
};

struct AnswerOptions {
  DecodingRecipe decoding;  // its `batch` questions are decoded together
  Pictures pictures = Pictures::real;
};

// Called with a question's number and its answers, the best first: as many as the decoding asks
// for, or fewer where the search found fewer, but one at least.
using EachQuestion = std::function<void(size_t number, std::span<const Answer> answers)>;

// Answers the questions in order; `each` is called as the answers come.
void answer(const Bundle& bundle, std::span<const Question> questions, const AnswerOptions& options,
            const EachQuestion& each);

// The same for questions that come a few at a time: what decoding makes of the weights is kept.
class Answerer {
 public:
  // `bundle` must outlive this, and its weights stay as they are.
  explicit Answerer(const Bundle& bundle);
  void answer(std::span<const Question> questions, const AnswerOptions& options,
              const EachQuestion& each) const;

 private:
  const Bundle& bundle_;
  Generator generator_;
  SampleEncoder encoder_;
};

}  // namespace sightline
