#include "metric/cider.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace sightline {
namespace {

constexpr double kSigma = 6;
constexpr double kScale = 10;

struct Weight {
  uint32_t ngram = 0;
  double value = 0;
};

// The TF-IDF vectors of a caption, one for each n.
struct Vectors {
  std::array<std::vector<Weight>, kNgramOrders> orders;  // ascending n-grams
  std::array<double, kNgramOrders> norms{};
  double bigrams = 0;
};

// log(number of cases / number of cases with the n-gram in a reference), for every n-gram.
std::vector<double> inverse_document_frequencies(const NgramCorpus& corpus) {
  constexpr size_t kNone = static_cast<size_t>(-1);
  std::vector<double> cases_with(corpus.distinct, 0);
  std::vector<size_t> last_case(corpus.distinct, kNone);
  for (size_t i = 0; i < corpus.cases.size(); ++i) {
    for (const NgramCaption& reference : corpus.cases[i].references) {
      for (const auto& counts : reference.orders) {
        for (const NgramCount& gram : counts) {
          if (last_case[gram.ngram] == i) continue;
          last_case[gram.ngram] = i;
          cases_with[gram.ngram] += 1;
        }
      }
    }
  }
  const double log_cases = std::log(static_cast<double>(corpus.cases.size()));
  for (double& value : cases_with) value = log_cases - std::log(std::max(1.0, value));
  return cases_with;
}

Vectors weigh(const NgramCaption& caption, const std::vector<double>& frequencies) {
  Vectors result;
  for (size_t order = 0; order < kNgramOrders; ++order) {
    double squares = 0;
    for (const NgramCount& gram : caption.orders[order]) {
      const double value = gram.count * frequencies[gram.ngram];
      result.orders[order].push_back({gram.ngram, value});
      squares += value * value;
    }
    result.norms[order] = std::sqrt(squares);
  }
  result.bigrams = caption.words > 1 ? static_cast<double>(caption.words - 1) : 0;
  return result;
}

// The product of two sparse vectors, the first clipped at the second where the form asks for it.
double product(const std::vector<Weight>& hypothesis, const std::vector<Weight>& reference,
               CiderForm form) {
  double sum = 0;
  auto other = reference.begin();
  for (const Weight& weight : hypothesis) {
    while (other != reference.end() && other->ngram < weight.ngram) ++other;
    if (other == reference.end()) break;
    if (other->ngram != weight.ngram) continue;
    const bool clips = form == CiderForm::kCocoCaption;
    sum += (clips ? std::min(weight.value, other->value) : weight.value) * other->value;
  }
  return sum;
}

double similarity(const Vectors& hypothesis, const Vectors& reference, CiderForm form) {
  double sum = 0;
  for (size_t order = 0; order < kNgramOrders; ++order) {
    const double norms = hypothesis.norms[order] * reference.norms[order];
    if (norms != 0) {
      sum += product(hypothesis.orders[order], reference.orders[order], form) / norms;
    }
  }
  if (form == CiderForm::kCocoCaption) {
    const double difference = hypothesis.bigrams - reference.bigrams;
    sum *= std::exp(-difference * difference / (2 * kSigma * kSigma));
  }
  return sum / kNgramOrders;
}

}  // namespace

MetricScores cider(const NgramCorpus& corpus, CiderForm form) {
  MetricScores scores;
  const std::vector<double> frequencies = inverse_document_frequencies(corpus);
  for (const NgramCase& item : corpus.cases) {
    const Vectors hypothesis = weigh(item.hypothesis, frequencies);
    double sum = 0;
    for (const NgramCaption& reference : item.references) {
      sum += similarity(hypothesis, weigh(reference, frequencies), form);
    }
    scores.cases.push_back(kScale * sum / static_cast<double>(item.references.size()));
    scores.corpus += scores.cases.back();
  }
  if (!corpus.cases.empty()) scores.corpus /= static_cast<double>(corpus.cases.size());
  return scores;
}

}  // namespace sightline
