#pragma once
// Questions about pictures -> answers in words, many at a time. What `caption`, `ask` and the tasks
// share.

#include "bundle/bundle.h"
#include "evaluate/task.h"
#include "generate/beam_search.h"
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
  std::string text;  // trimmed, without special tokens
  Generated generated;
};

struct AnswerOptions {
  DecodingOptions decoding;
  int64_t batch = 64;  // questions decoded together
  Pictures pictures = Pictures::real;
};

// Answers in order. `each` is called with every answer as it comes, with its number.
void answer(const Bundle& bundle, std::span<const Question> questions, const AnswerOptions& options,
            const std::function<void(size_t number, const Answer&)>& each);

}  // namespace sightline
