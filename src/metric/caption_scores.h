#pragma once
// All caption metrics over raw captions, under coco-caption's names.

#include "metric/bleu.h"
#include "metric/bootstrap.h"

#include <span>
#include <string>
#include <utility>
#include <vector>

namespace sightline {

struct CaptionCase {
  std::string id;
  std::string hypothesis;               // raw: tokenized here
  std::vector<std::string> references;  // raw, at least one
};

struct CaptionCaseScores {
  std::string id;
  Bleu bleu{};
  BleuCounts bleu_counts;
  double rouge_l = 0;
  double cider = 0;           // coco-caption's "CIDEr", which is CIDEr-D
  double cider_original = 0;  // without clipping and length penalty
};

struct CaptionScores {
  // Bleu_1, Bleu_2, Bleu_3, Bleu_4, ROUGE_L, CIDEr, CIDEr-D, CIDEr_original, in this order. CIDEr
  // and CIDEr-D are one number (metric/cider.h says why); the largest value of the CIDErs is 10,
  // of the others 1.
  std::vector<std::pair<std::string, double>> corpus;
  std::vector<CaptionCaseScores> cases;  // in the order given

  // The corpus's number of this name; an unknown name is an Error that lists those there are.
  double operator[](std::string_view name) const;
};

// Tokenizes as coco-caption does, all references as one file and all hypotheses as another in the
// order of the cases, and scores. The document frequencies of CIDEr come from all cases given. No
// case at all, or a case without a reference, is an Error.
CaptionScores score_captions(std::span<const CaptionCase> cases);

// The corpus's numbers, in their order and under their names but without "CIDEr-D", as sums over
// the cases. CIDEr's document frequencies stay those of all cases given: a resample weighs words as
// the whole does.
std::vector<SummedScore> summed_scores(const CaptionScores& scores);

// BLEU-n alone, n = 1 .. 4, of raw texts likewise: the corpus's number as sums over the cases.
SummedScore summed_bleu(size_t n, std::span<const CaptionCase> cases);

}  // namespace sightline
