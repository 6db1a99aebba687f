#include "cli/print_answers.h"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

namespace sightline {
namespace {

std::string json_text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string on_one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  return text;
}

bool has_end_token(const Generated& generated) {
  return generated.length() > static_cast<int64_t>(generated.tokens.size());
}

// A token's own text; of a character spread over several tokens each has a part, shown as U+FFFD.
std::string text_of(int32_t token, const Tokenizer& tokenizer) {
  return tokenizer.decode({&token, 1});
}

void print_tokens(const Generated& generated, const Tokenizer& tokenizer) {
  const auto& values = generated.token_log_probabilities;
  for (size_t i = 0; i < generated.tokens.size(); ++i) {
    fmt::print("  {:9.4f}  {}\n", values[i], json_text(text_of(generated.tokens[i], tokenizer)));
  }
  if (has_end_token(generated)) fmt::print("  {:9.4f}  end\n", values.back());
}

Json tokens_json(const Generated& generated, const Tokenizer& tokenizer) {
  Json tokens = Json::array();
  for (size_t i = 0; i < generated.tokens.size(); ++i) {
    tokens.push_back({{"id", generated.tokens[i]},
                      {"text", text_of(generated.tokens[i], tokenizer)},
                      {"log_probability", generated.token_log_probabilities[i]}});
  }
  return tokens;
}

}  // namespace

void print_answers(const std::string& head, std::span<const Answer> answers,
                   const Tokenizer& tokenizer, LogProbs log_probs) {
  for (const Answer& answer : answers) {
    const std::string score =
        answers.size() > 1 ? fmt::format("{:.4f}\t", answer.generated.score) : "";
    fmt::print("{}{}{}\n", head, score, on_one_line(answer.text));
    if (log_probs == LogProbs::shown) print_tokens(answer.generated, tokenizer);
  }
  std::fflush(stdout);
}

void print_answers_json(const Json& head, const char* name, std::span<const Answer> answers,
                        const Tokenizer& tokenizer) {
  for (const Answer& answer : answers) {
    const Generated& generated = answer.generated;
    Json line = head;
    line[name] = answer.text;
    line["score"] = generated.score;
    line["log_probability"] = generated.log_probability;
    line["ended"] = generated.ended;
    line["tokens"] = tokens_json(generated, tokenizer);
    if (has_end_token(generated)) {
      line["end_log_probability"] = generated.token_log_probabilities.back();
    }
    fmt::print("{}\n", json_text(line));
  }
  std::fflush(stdout);
}

}  // namespace sightline
