#include "generate/sampler.h"

#include "base/error.h"
#include "generate/logits_rules.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sightline {

int32_t draw(std::span<const float> log_weights, uint64_t stream) {
  Rng rng(stream);
  int32_t drawn = -1;
  double best = -std::numeric_limits<double>::infinity();
  for (size_t token = 0; token < log_weights.size(); ++token) {
    const double uniform = rng.uniform();
    check_is_number(log_weights[token]);
    if (std::isinf(log_weights[token])) continue;
    const double value = log_weights[token] - std::log(-std::log1p(-uniform));
    if (drawn >= 0 && value <= best) continue;
    best = value;
    drawn = static_cast<int32_t>(token);
  }
  return drawn;
}

Sampler::Sampler(const DecodingRecipe& decoding, const Endings& endings, uint64_t stream)
    : decoding_(decoding), endings_(endings) {
  SL_ASSERT(decoding.temperature > 0 && decoding.answers >= 1, "temperature {}, {} answers",
            decoding.temperature, decoding.answers);
  for (int64_t i = 0; i < decoding.answers; ++i) {
    paths_.push_back({.stream = derive_seed(stream, "answer", static_cast<uint64_t>(i))});
  }
}

int32_t Sampler::next_token(const Path& path, std::span<const float> row) {
  ruled_.assign(row.begin(), row.end());
  apply_penalties(ruled_, decoding_, path.generated.tokens, endings_.tokens);
  apply_truncation(ruled_, decoding_);
  return draw(ruled_,
              derive_seed(path.stream, "step", static_cast<uint64_t>(path.generated.length())));
}

void Sampler::grow(Path& path, std::span<const float> row) {
  Generated& generated = path.generated;
  const int32_t token = next_token(path, row);
  path.over = true;
  if (token < 0) return;  // the rules forbid every token: the answer ends where it is
  generated.token_log_probabilities.push_back(row[token]);
  generated.log_probability += row[token];
  if (endings_.is_end(token)) {
    generated.ended = true;
    return;
  }
  generated.tokens.push_back(token);
  generated.ended = endings_.strings.are_in(generated.tokens);
  path.over = generated.ended || generated.length() >= decoding_.max_new_tokens;
}

std::vector<Continuation> Sampler::step(std::span<const float> log_probabilities, int64_t vocab) {
  std::vector<Continuation> continuations;
  int64_t parent = 0;
  for (Path& path : paths_) {
    if (path.over) continue;
    const bool first = path.generated.length() == 0;  // then all answers go on from the prompt
    grow(path, log_probabilities.subspan(parent * vocab, vocab));
    if (!path.over) continuations.push_back({parent, path.generated.tokens.back()});
    if (!first) ++parent;
  }
  return continuations;
}

std::vector<Generated> Sampler::answers() const {
  std::vector<Generated> answers;
  for (const Path& path : paths_) {
    SL_ASSERT(path.over, "an answer is not over");
    answers.push_back(path.generated);
    answers.back().score = length_score(path.generated.log_probability, path.generated.length(),
                                        decoding_.length_penalty);
  }
  std::stable_sort(answers.begin(), answers.end(),
                   [](const Generated& a, const Generated& b) { return a.score > b.score; });
  return answers;
}

}  // namespace sightline
