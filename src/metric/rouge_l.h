#pragma once
// ROUGE-L (Lin 2004) as coco-caption computes it (rouge.py): from the longest common subsequence of
// words with each reference, the best precision and the best recall over the references, not
// necessarily of the same one, and their F-measure with beta = 1.2; the corpus has the mean.
// As there, an empty caption counts as one empty word.

#include "metric/tokenized_case.h"

#include <span>

namespace sightline {

MetricScores rouge_l(std::span<const TokenizedCase> cases);

}  // namespace sightline
