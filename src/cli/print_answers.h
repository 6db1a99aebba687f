#pragma once
// Answers on stdout, as caption and ask print them.

#include "base/json.h"
#include "evaluate/answer.h"
#include "text/tokenizer.h"

#include <span>
#include <string>

namespace sightline {

enum class LogProbs { hidden, shown };

// A line each: `head` (a path and a tab, or nothing), where there are several the score and a tab,
// and the answer on one line. Below it, where wanted, a line a token with its log-probability.
void print_answers(const std::string& head, std::span<const Answer> answers,
                   const Tokenizer& tokenizer, LogProbs log_probs);

// A JSON object each: what `head` holds, the text under `name`, score, log_probability, ended (by
// an end token or a stop string), and the tokens with theirs.
void print_answers_json(const Json& head, const char* name, std::span<const Answer> answers,
                        const Tokenizer& tokenizer);

}  // namespace sightline
