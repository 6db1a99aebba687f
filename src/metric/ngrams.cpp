#include "metric/ngrams.h"

#include "base/error.h"

#include <algorithm>
#include <unordered_map>

namespace sightline {
namespace {

// Numbers n-grams: a word by its spelling, a longer n-gram by its first n-1 words' number and its
// last word's.
class Numbering {
 public:
  NgramCaption count(std::string_view caption) {
    const auto spelled = split_words(caption);
    std::vector<uint32_t> words(spelled.size());
    std::ranges::transform(spelled, words.begin(), [&](auto word) { return number_of(word); });
    NgramCaption result{.words = words.size()};
    std::vector<uint32_t> grams = words;
    for (size_t order = 0; order < kNgramOrders; ++order) {
      if (order > 0) {
        const size_t left = words.size() > order ? words.size() - order : 0;
        for (size_t i = 0; i < left; ++i) grams[i] = number_of(grams[i], words[i + order]);
        grams.resize(left);
      }
      result.orders[order] = counted(grams);
    }
    return result;
  }

  size_t size() const { return next_; }

 private:
  uint32_t number_of(std::string_view word) {
    const auto [place, fresh] = words_.try_emplace(word, next_);
    next_ += fresh ? 1 : 0;
    return place->second;
  }

  uint32_t number_of(uint32_t prefix, uint32_t word) {
    const auto [place, fresh] = longer_.try_emplace(uint64_t{prefix} << 32U | word, next_);
    next_ += fresh ? 1 : 0;
    return place->second;
  }

  static std::vector<NgramCount> counted(std::vector<uint32_t> grams) {
    std::ranges::sort(grams);
    std::vector<NgramCount> counts;
    for (const uint32_t gram : grams) {
      if (counts.empty() || counts.back().ngram != gram) counts.push_back({gram, 0});
      ++counts.back().count;
    }
    return counts;
  }

  uint32_t next_ = 0;
  std::unordered_map<std::string_view, uint32_t> words_;  // into the captions, which outlive this
  std::unordered_map<uint64_t, uint32_t> longer_;
};

}  // namespace

NgramCorpus count_ngrams(std::span<const TokenizedCase> cases) {
  Numbering numbering;
  NgramCorpus corpus;
  corpus.cases.reserve(cases.size());
  for (const TokenizedCase& item : cases) {
    SL_ASSERT(!item.references.empty(), "case {} has no reference", corpus.cases.size());
    NgramCase& counted = corpus.cases.emplace_back();
    counted.hypothesis = numbering.count(item.hypothesis);
    for (const std::string& reference : item.references) {
      counted.references.push_back(numbering.count(reference));
    }
  }
  corpus.distinct = numbering.size();
  return corpus;
}

}  // namespace sightline
