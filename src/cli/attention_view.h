#pragma once
// The page of `caption --attend`: a picture, its caption, and where each word looked.

#include "bundle/bundle.h"
#include "generate/attention_record.h"
#include "report/attention_page.h"

#include <string>
#include <vector>

namespace sightline {

// Tokens [begin, end) of an answer that make one word, and the word.
struct WordSpan {
  size_t begin = 0, end = 0;
  std::string text;
};

// A word begins where a token begins with a space; marks of punctuation stay with the word before.
std::vector<WordSpan> words_of(const Tokenizer& tokenizer, std::span<const int32_t> tokens);

// `prompt` is what the user says; `answer` the tokens of the caption, at least one.
AttentionPage attention_page(const Bundle& bundle, const std::string& picture,
                             const std::string& prompt, std::span<const int32_t> answer);

}  // namespace sightline
