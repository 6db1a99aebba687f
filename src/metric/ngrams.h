#pragma once
// The n-grams of captions, n = 1 .. 4, counted once for BLEU and CIDEr. Every distinct n-gram of a
// corpus has a number; equal numbers mean equal n-grams.

#include "metric/tokenized_case.h"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace sightline {

inline constexpr size_t kNgramOrders = 4;

struct NgramCount {
  uint32_t ngram = 0;
  uint32_t count = 0;
};

struct NgramCaption {
  size_t words = 0;
  // orders[n - 1] holds the distinct n-grams in ascending number.
  std::array<std::vector<NgramCount>, kNgramOrders> orders;
};

struct NgramCase {
  NgramCaption hypothesis;
  std::vector<NgramCaption> references;
};

struct NgramCorpus {
  std::vector<NgramCase> cases;
  size_t distinct = 0;  // n-grams are numbered from 0 to here
};

// Every case needs a reference (asserted).
NgramCorpus count_ngrams(std::span<const TokenizedCase> cases);

}  // namespace sightline
