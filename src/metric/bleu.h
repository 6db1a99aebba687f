#pragma once
// BLEU-1 .. BLEU-4 (Papineni et al. 2002) as coco-caption computes them (bleu_scorer.py, option
// "closest"): clipped n-gram precision over the whole corpus, the reference length nearest to the
// hypothesis's (the shorter where two are as near) for the brevity penalty, and the same small
// constants, which decide what a caption without a single match gets.

#include "metric/ngrams.h"

#include <array>
#include <vector>

namespace sightline {

using Bleu = std::array<double, kNgramOrders>;  // [n - 1] is BLEU-n

// What BLEU counts in a caption; a corpus has the sums.
struct BleuCounts {
  size_t hypothesis_words = 0;
  size_t reference_words = 0;
  std::array<size_t, kNgramOrders> guessed{};
  std::array<size_t, kNgramOrders> correct{};
};
Bleu bleu_of(const BleuCounts& counts);

struct BleuScores {
  Bleu corpus{};
  std::vector<Bleu> cases;
  std::vector<BleuCounts> counts;  // of the cases
};

BleuScores bleu(const NgramCorpus& corpus);

}  // namespace sightline
