#include "metric/caption_scores.h"

#include "base/error.h"
#include "metric/cider.h"
#include "metric/ptb_tokenizer.h"
#include "metric/rouge_l.h"

#include <algorithm>

namespace sightline {
namespace {

std::vector<TokenizedCase> tokenize(std::span<const CaptionCase> cases) {
  std::vector<std::string> hypotheses;
  std::vector<std::string> references;
  for (const CaptionCase& item : cases) {
    check(!item.references.empty(), "caption '{}' has no reference to be scored against", item.id);
    hypotheses.push_back(item.hypothesis);
    references.insert(references.end(), item.references.begin(), item.references.end());
  }
  hypotheses = ptb_tokenize_lines(hypotheses);
  references = ptb_tokenize_lines(references);
  std::vector<TokenizedCase> result(cases.size());
  auto next = references.begin();
  for (size_t i = 0; i < cases.size(); ++i) {
    result[i].hypothesis = std::move(hypotheses[i]);
    const auto end = next + static_cast<std::ptrdiff_t>(cases[i].references.size());
    result[i].references.assign(std::move_iterator(next), std::move_iterator(end));
    next = end;
  }
  return result;
}

// BLEU's counts as terms to be summed, and back.
std::vector<double> terms_of(const BleuCounts& counts) {
  std::vector<double> terms = {static_cast<double>(counts.hypothesis_words),
                               static_cast<double>(counts.reference_words)};
  for (size_t n = 0; n < kNgramOrders; ++n) {
    terms.push_back(static_cast<double>(counts.guessed[n]));
    terms.push_back(static_cast<double>(counts.correct[n]));
  }
  return terms;
}

BleuCounts counts_of(std::span<const double> terms) {
  BleuCounts counts{static_cast<size_t>(terms[0]), static_cast<size_t>(terms[1])};
  for (size_t n = 0; n < kNgramOrders; ++n) {
    counts.guessed[n] = static_cast<size_t>(terms[2 + 2 * n]);
    counts.correct[n] = static_cast<size_t>(terms[3 + 2 * n]);
  }
  return counts;
}

SummedScore bleu_score(size_t n, std::vector<std::vector<double>> terms) {
  return {fmt::format("Bleu_{}", n), std::move(terms),
          [n](std::span<const double> sums) { return bleu_of(counts_of(sums))[n - 1]; }};
}

}  // namespace

double CaptionScores::operator[](std::string_view name) const {
  const auto found = std::ranges::find(corpus, name, &std::pair<std::string, double>::first);
  if (found != corpus.end()) return found->second;
  std::string known;
  for (const auto& [each, value] : corpus) known += (known.empty() ? "" : ", ") + each;
  fail("there is no caption metric '{}'; there are {}", name, known);
}

CaptionScores score_captions(std::span<const CaptionCase> cases) {
  check(!cases.empty(), "there are no captions to score");
  const std::vector<TokenizedCase> tokenized = tokenize(cases);
  const NgramCorpus corpus = count_ngrams(tokenized);
  const BleuScores bleus = bleu(corpus);
  const MetricScores rouge = rouge_l(tokenized);
  const MetricScores coco = cider(corpus, CiderForm::kCocoCaption);
  const MetricScores original = cider(corpus, CiderForm::kCosine);
  CaptionScores scores;
  for (size_t n = 0; n < kNgramOrders; ++n) {
    scores.corpus.emplace_back(fmt::format("Bleu_{}", n + 1), bleus.corpus[n]);
  }
  scores.corpus.emplace_back("ROUGE_L", rouge.corpus);
  scores.corpus.emplace_back("CIDEr", coco.corpus);
  scores.corpus.emplace_back("CIDEr-D", coco.corpus);
  scores.corpus.emplace_back("CIDEr_original", original.corpus);
  for (size_t i = 0; i < cases.size(); ++i) {
    scores.cases.push_back({cases[i].id, bleus.cases[i], bleus.counts[i], rouge.cases[i],
                            coco.cases[i], original.cases[i]});
  }
  return scores;
}

std::vector<SummedScore> summed_scores(const CaptionScores& scores) {
  std::vector<std::vector<double>> bleu;
  for (const CaptionCaseScores& each : scores.cases) bleu.push_back(terms_of(each.bleu_counts));
  std::vector<SummedScore> result;
  for (size_t n = 1; n <= kNgramOrders; ++n) result.push_back(bleu_score(n, bleu));
  const auto add_mean = [&](const char* name, double CaptionCaseScores::*value) {
    std::vector<std::vector<double>> terms;
    for (const CaptionCaseScores& each : scores.cases) terms.push_back({each.*value, 1.0});
    result.push_back(mean_score(name, std::move(terms)));
  };
  add_mean("ROUGE_L", &CaptionCaseScores::rouge_l);
  add_mean("CIDEr", &CaptionCaseScores::cider);
  add_mean("CIDEr_original", &CaptionCaseScores::cider_original);
  return result;
}

SummedScore summed_bleu(size_t n, std::span<const CaptionCase> cases) {
  std::vector<std::vector<double>> terms;
  for (const BleuCounts& each : bleu(count_ngrams(tokenize(cases))).counts) {
    terms.push_back(terms_of(each));
  }
  return bleu_score(n, std::move(terms));
}

}  // namespace sightline
