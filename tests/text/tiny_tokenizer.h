#pragma once
// A small byte-level tokenizer trained in the test.

#include "text/tokenizer_training.h"

#include <string>
#include <vector>

namespace sightline::test {

inline std::vector<std::string> tiny_corpus() {
  std::vector<std::string> lines;
  for (int i = 0; i < 5; ++i) {
    lines.push_back("a cat sits on the mat and the dog sits on the rug");
    lines.push_back("what is the user doing? the assistant is answering the user");
    lines.push_back("two dogs and 12 cats, the cats' mats aren't here");
  }
  return lines;
}

inline Tokenizer tiny_tokenizer() { return train_tokenizer(tiny_corpus(), {.vocab_size = 350}); }

// With what `chatml` needs.
inline Tokenizer tiny_chat_tokenizer() {
  const std::vector<std::string> tokens = {"<|im_start|>", "<|im_end|>"};
  return tiny_tokenizer().with_added_tokens(tokens);
}

using Ids = std::vector<int32_t>;

}  // namespace sightline::test
