#include "metric/bootstrap.h"

#include "base/error.h"
#include "base/rng.h"

#include <algorithm>
#include <cmath>

namespace sightline {
namespace {

using Sums = std::vector<double>;

void add(Sums& sums, std::span<const double> terms) {
  for (size_t i = 0; i < sums.size(); ++i) sums[i] += terms[i];
}

std::vector<size_t> resample(size_t cases, int64_t number, uint64_t seed) {
  Rng rng(derive_seed(seed, "resample", static_cast<uint64_t>(number)));
  std::vector<size_t> drawn(cases);
  for (size_t& each : drawn) each = rng.below(cases);
  return drawn;
}

double score_of(const SummedScore& score, std::span<const size_t> drawn) {
  Sums sums(score.terms.front().size(), 0.0);
  for (const size_t each : drawn) add(sums, score.terms[each]);
  return score.value(sums);
}

Interval interval_of(const std::vector<double>& values, double level) {
  return {quantile(values, (1 - level) / 2), quantile(values, (1 + level) / 2)};
}

}  // namespace

SummedScore mean_score(std::string name, std::vector<std::vector<double>> terms) {
  return {std::move(name), std::move(terms),
          [](std::span<const double> sums) { return sums[1] == 0 ? 0.0 : sums[0] / sums[1]; }};
}

double score_of(const SummedScore& score) {
  SL_ASSERT(!score.terms.empty(), "{} of no case", score.name);
  Sums sums(score.terms.front().size(), 0.0);
  for (const auto& terms : score.terms) add(sums, terms);
  return score.value(sums);
}

SummedScore grouped(const SummedScore& score, std::span<const size_t> group) {
  SL_ASSERT(group.size() == score.terms.size(), "{} groups for {} cases", group.size(),
            score.terms.size());
  SummedScore result{score.name, {}, score.value};
  for (size_t i = 0; i < group.size(); ++i) {
    while (result.terms.size() <= group[i]) {
      result.terms.emplace_back(score.terms.front().size(), 0.0);
    }
    add(result.terms[group[i]], score.terms[i]);
  }
  return result;
}

SummedScore mean_of(std::span<const SummedScore> scores) {
  SL_ASSERT(!scores.empty(), "a mean of nothing");
  SummedScore mean{scores.front().name, {}, {}};
  mean.terms.resize(scores.front().terms.size());
  std::vector<std::function<double(std::span<const double>)>> values;
  std::vector<size_t> ends;
  for (const SummedScore& each : scores) {
    SL_ASSERT(each.terms.size() == mean.terms.size(), "{} and {} cases", each.terms.size(),
              mean.terms.size());
    for (size_t i = 0; i < mean.terms.size(); ++i) {
      mean.terms[i].insert(mean.terms[i].end(), each.terms[i].begin(), each.terms[i].end());
    }
    values.push_back(each.value);
    ends.push_back(mean.terms.empty() ? 0 : mean.terms.front().size());
  }
  mean.value = [values, ends](std::span<const double> sums) {
    double total = 0.0;
    for (size_t i = 0; i < values.size(); ++i) {
      const size_t begin = i == 0 ? 0 : ends[i - 1];
      total += values[i](sums.subspan(begin, ends[i] - begin));
    }
    return total / static_cast<double>(values.size());
  };
  return mean;
}

Interval bootstrap_interval(const SummedScore& score, const BootstrapOptions& options) {
  SL_ASSERT(!score.terms.empty(), "{} of no case", score.name);
  std::vector<double> values;
  for (int64_t r = 0; r < options.resamples; ++r) {
    values.push_back(score_of(score, resample(score.terms.size(), r, options.seed)));
  }
  return interval_of(values, options.level);
}

Difference paired_bootstrap(const SummedScore& a, const SummedScore& b,
                            const BootstrapOptions& options) {
  SL_ASSERT(!a.terms.empty() && a.terms.size() == b.terms.size(), "{} and {} cases", a.terms.size(),
            b.terms.size());
  std::vector<double> values;
  int64_t above = 0;
  for (int64_t r = 0; r < options.resamples; ++r) {
    const std::vector<size_t> drawn = resample(a.terms.size(), r, options.seed);
    values.push_back(score_of(b, drawn) - score_of(a, drawn));
    if (values.back() > 0) ++above;
  }
  return {score_of(b) - score_of(a), interval_of(values, options.level),
          static_cast<double>(above) / static_cast<double>(options.resamples)};
}

double quantile(std::vector<double> values, double share) {
  SL_ASSERT(!values.empty(), "a quantile of nothing");
  std::sort(values.begin(), values.end());
  const double place = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<size_t>(std::floor(place));
  const size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (place - std::floor(place)) * (values[above] - values[below]);
}

}  // namespace sightline
