#pragma once
// What bends a model's distribution before a token is chosen: plain functions over one row of
// log-probabilities, one number a token, in place. A token that may not be chosen gets -infinity.
//
// They are applied in this order, which is transformers': penalise_earlier_groups (diverse beams),
// penalise_repeats, forbid_repeated_ngrams, forbid (end tokens before the least length); then,
// where tokens are drawn, apply_temperature, keep_top_k, keep_top_p, keep_min_p. Each follows the
// LogitsProcessor or Warper of transformers (generation/logits_process.py) that is named beside it.
// All but penalise_repeats give the same from logits as from log-probabilities, which differ by one
// number a row.
//
// Rows need not sum to one.

#include "recipe/recipe.h"

#include <cstdint>
#include <span>

namespace sightline {

// HammingDiversity: every time that an earlier group chose a token at this step costs `diversity`.
void penalise_earlier_groups(std::span<float> row, std::span<const int32_t> chosen,
                             double diversity);

// RepetitionPenalty: log-probabilities of the answer's own tokens times `penalty`, each once. As in
// transformers' beam search; its greedy search and sampling take logits instead, and it counts the
// prompt's tokens too, which here would forbid a caption the words of its question.
void penalise_repeats(std::span<float> row, std::span<const int32_t> answer, double penalty);

// NoRepeatNGram: forbids what would complete `n` tokens that stand in the answer already.
void forbid_repeated_ngrams(std::span<float> row, std::span<const int32_t> answer, int64_t n);

// MinNewTokensLength, for the end tokens.
void forbid(std::span<float> row, std::span<const int32_t> tokens);

void apply_temperature(std::span<float> row, double temperature);  // above 0

// TopK: the k best; all that equal the k-th stay.
void keep_top_k(std::span<float> row, int64_t k);

// TopP (Holtzman et al. 2019, arXiv 1904.09751): the fewest of the best that have at least `p` of
// the row's probability together; of equals the lower ids. At least one stays.
void keep_top_p(std::span<float> row, double p);

// MinP (Nguyen et al. 2024, arXiv 2407.01082): those with at least `p` times the best's
// probability.
void keep_min_p(std::span<float> row, double p);

// Whether apply_penalties may change anything: where not, rows need no copy.
bool has_penalties(const DecodingRecipe& decoding);

// The rules that a recipe asks for, in their order; `answer` is what was chosen so far.
void apply_penalties(std::span<float> row, const DecodingRecipe& decoding,
                     std::span<const int32_t> answer, std::span<const int32_t> end_ids);
void apply_truncation(std::span<float> row, const DecodingRecipe& decoding);

}  // namespace sightline
