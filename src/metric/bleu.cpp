#include "metric/bleu.h"

#include <algorithm>
#include <cmath>

namespace sightline {
namespace {

void add(BleuCounts& sum, const BleuCounts& other) {
  sum.hypothesis_words += other.hypothesis_words;
  sum.reference_words += other.reference_words;
  for (size_t n = 0; n < kNgramOrders; ++n) {
    sum.guessed[n] += other.guessed[n];
    sum.correct[n] += other.correct[n];
  }
}

size_t closest_length(size_t words, const std::vector<NgramCaption>& references) {
  const auto distance = [&](size_t length) {
    return length > words ? length - words : words - length;
  };
  const auto nearer = [&](const NgramCaption& a, const NgramCaption& b) {
    return std::pair(distance(a.words), a.words) < std::pair(distance(b.words), b.words);
  };
  return std::ranges::min_element(references, nearer)->words;
}

// How often the n-gram occurs in the reference that has it most often.
uint32_t most_in_references(uint32_t ngram, size_t order,
                            const std::vector<NgramCaption>& references) {
  uint32_t most = 0;
  for (const NgramCaption& reference : references) {
    const auto& counts = reference.orders[order];
    const auto found = std::ranges::lower_bound(counts, ngram, {}, &NgramCount::ngram);
    if (found != counts.end() && found->ngram == ngram) most = std::max(most, found->count);
  }
  return most;
}

BleuCounts count(const NgramCase& item) {
  BleuCounts result;
  result.hypothesis_words = item.hypothesis.words;
  result.reference_words = closest_length(item.hypothesis.words, item.references);
  for (size_t order = 0; order < kNgramOrders; ++order) {
    const size_t words = item.hypothesis.words;
    result.guessed[order] = words > order ? words - order : 0;
    for (const NgramCount& gram : item.hypothesis.orders[order]) {
      result.correct[order] +=
          std::min(gram.count, most_in_references(gram.ngram, order, item.references));
    }
  }
  return result;
}

}  // namespace

Bleu bleu_of(const BleuCounts& counts) {
  constexpr double kSmall = 1e-9;  // keeps divisions finite
  constexpr double kTiny = 1e-15;  // and zero matches above zero
  Bleu result{};
  double product = 1;
  for (size_t n = 0; n < kNgramOrders; ++n) {
    product *= (static_cast<double>(counts.correct[n]) + kTiny) /
               (static_cast<double>(counts.guessed[n]) + kSmall);
    result[n] = std::pow(product, 1.0 / static_cast<double>(n + 1));
  }
  const double ratio = (static_cast<double>(counts.hypothesis_words) + kTiny) /
                       (static_cast<double>(counts.reference_words) + kSmall);
  if (ratio < 1) {
    for (double& value : result) value *= std::exp(1 - 1 / ratio);
  }
  return result;
}

BleuScores bleu(const NgramCorpus& corpus) {
  BleuScores scores;
  BleuCounts total;
  for (const NgramCase& item : corpus.cases) {
    scores.counts.push_back(count(item));
    add(total, scores.counts.back());
    scores.cases.push_back(bleu_of(scores.counts.back()));
  }
  scores.corpus = bleu_of(total);
  return scores;
}

}  // namespace sightline
