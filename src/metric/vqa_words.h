#pragma once
// Inside metric/: the words that VQA's official evaluator rewrites.

#include <string_view>

namespace sightline {

// What stands for `word` in a normal form: "dont" -> "don't", "two" -> "2"; "" for an article, and
// the word itself where it is none of these. `word` is in lower case.
std::string_view vqa_word(std::string_view word);

}  // namespace sightline
