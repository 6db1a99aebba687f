#pragma once
// How many words an answer shares with the expected one, as SQuAD 2.0's official script counts them
// (Rajpurkar et al. 2018, evaluate-v2.0.py): each word as often as both have it, in lower case,
// without ASCII punctuation and without "a", "an" and "the".

#include <span>
#include <string>
#include <string_view>

namespace sightline {

struct TokenOverlap {
  double f1 = 0.0;      // harmonic mean of recall and of the answer's words that are shared
  double recall = 0.0;  // of the expected words: a long answer that holds them all has 1
};

// Where either side has no word left, both numbers are 1 if neither has, else 0.
TokenOverlap token_overlap(std::string_view answer, std::string_view reference);

// The best of the references, each number for itself; at least one (asserted).
TokenOverlap token_overlap(std::string_view answer, std::span<const std::string> references);

}  // namespace sightline
