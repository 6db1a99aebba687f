#pragma once
// What the metrics compare: captions as ptb_tokenize leaves them, words joined by spaces.

#include <string>
#include <string_view>
#include <vector>

namespace sightline {

struct TokenizedCase {
  std::string hypothesis;
  std::vector<std::string> references;  // at least one
};

// One metric over a corpus.
struct MetricScores {
  double corpus = 0;
  std::vector<double> cases;  // in the order of the cases
};

// At white space, no-break and other Unicode spaces included, as Python's str.split() has it.
std::vector<std::string_view> split_words(std::string_view caption);

}  // namespace sightline
