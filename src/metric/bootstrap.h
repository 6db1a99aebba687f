#pragma once
// How far a score would move with other photographs: percentile intervals by the bootstrap (Efron
// 1979), and the paired bootstrap for the difference of two systems on the same ones (Koehn 2004).
//
// A resample draws as many cases as there are, with repetition. Resample r of n cases is the same
// for every score (its draws come from seed, r and n alone), which is what pairs two systems.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace sightline {

// A score that depends on its cases through sums: each case has the same number of terms, and the
// score is a function of the terms' sums. A mean has two, sum and count; BLEU has its counts.
struct SummedScore {
  std::string name;
  std::vector<std::vector<double>> terms;  // [case][term]
  std::function<double(std::span<const double> sums)> value;
};

// Terms {sum, count} -> their mean; 0 where the count is.
SummedScore mean_score(std::string name, std::vector<std::vector<double>> terms);

// Of all cases.
double score_of(const SummedScore& score);

// One entry a case becomes one entry a group: what is resampled together. group[i] of each case,
// from 0.
SummedScore grouped(const SummedScore& score, std::span<const size_t> group);

// The mean of scores over the same cases, as of several seeds; a resample takes the same cases of
// each. At least one, all with as many cases (asserted).
SummedScore mean_of(std::span<const SummedScore> scores);

struct BootstrapOptions {
  int64_t resamples = 1000;
  double level = 0.95;
  uint64_t seed = 0;
};

struct Interval {
  double low = 0.0, high = 0.0;
};

// At least one case (asserted).
Interval bootstrap_interval(const SummedScore& score, const BootstrapOptions& options = {});

struct Difference {
  double value = 0.0;        // of b above a, over all cases
  Interval interval;         // of it
  double share_above = 0.0;  // of the resamples in which b is above a
};

// Both must hold the same cases in the same order (their number is asserted).
Difference paired_bootstrap(const SummedScore& a, const SummedScore& b,
                            const BootstrapOptions& options = {});

// Between the two nearest of the values, as numpy.quantile. `values` in any order, at least one.
double quantile(std::vector<double> values, double share);

}  // namespace sightline
