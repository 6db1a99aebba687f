#pragma once
// CIDEr (Vedantam, Zitnick, Parikh 2015, arXiv 1411.5726). The paper defines two forms:
//   CIDEr    the mean over n = 1 .. 4 and over the references of the cosine between the TF-IDF
//            vectors of n-grams of hypothesis and reference.
//   CIDEr-D  the same with each of the hypothesis's weights clipped at the reference's, and with
//            exp(-(difference in length)^2 / (2 sigma^2)), sigma = 6: harder to game.
// What coco-caption prints as "CIDEr", and with it every table of captioning results, is CIDEr-D
// (cider_scorer.py clips and penalises). So here:
//   kCocoCaption  the number called "CIDEr" and "CIDEr-D" (they are one number)
//   kCosine       the paper's first form, called "CIDEr_original"
// Both are without stemming and times 10, as in the authors' own code. Length
// there is counted in bigrams.
// The inverse document frequency comes from the references of all cases given, so a score depends
// on its company: one case alone has no rare words and scores 0.

#include "metric/ngrams.h"

namespace sightline {

enum class CiderForm { kCocoCaption, kCosine };

MetricScores cider(const NgramCorpus& corpus, CiderForm form);

}  // namespace sightline
