#include "generate/logits_rules.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <set>
#include <vector>

namespace sightline {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

float best_of(std::span<const float> row) { return *std::max_element(row.begin(), row.end()); }

// The tokens that may be chosen, the likeliest first, of equals the lower id.
std::vector<int32_t> by_likelihood(std::span<const float> row) {
  std::vector<int32_t> tokens;
  for (size_t token = 0; token < row.size(); ++token) {
    if (row[token] > kNever) tokens.push_back(static_cast<int32_t>(token));
  }
  std::stable_sort(tokens.begin(), tokens.end(),
                   [&](int32_t a, int32_t b) { return row[a] > row[b]; });
  return tokens;
}

}  // namespace

void penalise_earlier_groups(std::span<float> row, std::span<const int32_t> chosen,
                             double diversity) {
  for (const int32_t token : chosen) row[token] -= static_cast<float>(diversity);
}

void penalise_repeats(std::span<float> row, std::span<const int32_t> answer, double penalty) {
  for (const int32_t token : std::set<int32_t>(answer.begin(), answer.end())) {
    row[token] *= static_cast<float>(penalty);
  }
}

void forbid_repeated_ngrams(std::span<float> row, std::span<const int32_t> answer, int64_t n) {
  const auto length = static_cast<int64_t>(answer.size());
  if (n < 1 || length + 1 < n) return;
  const auto last = answer.last(n - 1);
  for (int64_t begin = 0; begin + n <= length; ++begin) {
    const auto earlier = answer.subspan(begin, n - 1);
    if (std::equal(last.begin(), last.end(), earlier.begin())) row[answer[begin + n - 1]] = kNever;
  }
}

void forbid(std::span<float> row, std::span<const int32_t> tokens) {
  for (const int32_t token : tokens) row[token] = kNever;
}

void apply_temperature(std::span<float> row, double temperature) {
  for (float& value : row) value /= static_cast<float>(temperature);
}

void keep_top_k(std::span<float> row, int64_t k) {
  if (k >= static_cast<int64_t>(row.size())) return;
  std::vector<float> values(row.begin(), row.end());
  std::nth_element(values.begin(), values.begin() + (k - 1), values.end(), std::greater<>());
  const float least = values[k - 1];
  for (float& value : row) {
    if (value < least) value = kNever;
  }
}

void keep_top_p(std::span<float> row, double p) {
  const float best = best_of(row);
  const std::vector<int32_t> tokens = by_likelihood(row);
  const auto share = [&](int32_t token) {
    return std::exp(static_cast<double>(row[token]) - best);
  };
  double all = 0;
  for (const int32_t token : tokens) all += share(token);
  double kept = 0;
  for (const int32_t token : tokens) {
    if (kept >= p * all) {
      row[token] = kNever;
    } else {
      kept += share(token);
    }
  }
}

void keep_min_p(std::span<float> row, double p) {
  const double least = best_of(row) + std::log(p);
  for (float& value : row) {
    if (value < least) value = kNever;
  }
}

bool has_penalties(const DecodingRecipe& decoding) {
  return decoding.repetition_penalty != 1.0 || decoding.no_repeat_ngram > 0 ||
         decoding.min_new_tokens > 0;
}

void apply_penalties(std::span<float> row, const DecodingRecipe& decoding,
                     std::span<const int32_t> answer, std::span<const int32_t> end_ids) {
  if (decoding.repetition_penalty != 1.0) {
    penalise_repeats(row, answer, decoding.repetition_penalty);
  }
  forbid_repeated_ngrams(row, answer, decoding.no_repeat_ngram);
  if (static_cast<int64_t>(answer.size()) < decoding.min_new_tokens) forbid(row, end_ids);
}

void apply_truncation(std::span<float> row, const DecodingRecipe& decoding) {
  if (decoding.temperature != 1.0) apply_temperature(row, decoding.temperature);
  if (decoding.top_k > 0) keep_top_k(row, decoding.top_k);
  if (decoding.top_p < 1.0) keep_top_p(row, decoding.top_p);
  if (decoding.min_p > 0.0) keep_min_p(row, decoding.min_p);
}

}  // namespace sightline
