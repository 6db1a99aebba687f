#include "metric/bleu.h"

#include <algorithm>
#include <cmath>

namespace sightline {
namespace {

struct Tally {
  size_t hypothesis_words = 0;
  size_t reference_words = 0;
  std::array<size_t, kNgramOrders> guessed{};
  std::array<size_t, kNgramOrders> correct{};

  void add(const Tally& other) {
    hypothesis_words += other.hypothesis_words;
    reference_words += other.reference_words;
    for (size_t n = 0; n < kNgramOrders; ++n) {
      guessed[n] += other.guessed[n];
      correct[n] += other.correct[n];
    }
  }
};

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

Tally tally(const NgramCase& item) {
  Tally result;
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

Bleu score(const Tally& counts) {
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

}  // namespace

BleuScores bleu(const NgramCorpus& corpus) {
  BleuScores scores;
  Tally total;
  for (const NgramCase& item : corpus.cases) {
    const Tally counts = tally(item);
    total.add(counts);
    scores.cases.push_back(score(counts));
  }
  scores.corpus = score(total);
  return scores;
}

}  // namespace sightline
