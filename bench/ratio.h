#pragma once
// Times two ways of doing one thing in turns, in one run, so that what else the machine does falls
// on both: what is reported is their ratio, and the milliseconds only to see the scale.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

namespace sightline::bench {

struct Timed {
  std::string name;
  std::function<void()> run;
};

inline double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<long>(values.size()) / 2,
                   values.end());
  return values[values.size() / 2];
}

inline double milliseconds(const std::function<void()>& run) {
  const auto begin = std::chrono::steady_clock::now();
  run();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
      .count();
}

// Medians, in milliseconds.
struct Medians {
  double ours = 0, peer = 0;
};

// One line: the medians of `rounds` turns after one to warm up, and the median ratio peer / ours of
// the turns, with its quartiles.
inline Medians compare(const std::string& what, const Timed& ours, const Timed& peer,
                       int rounds = 31) {
  ours.run();
  peer.run();
  std::vector<double> ours_ms, peer_ms, ratios;
  for (int i = 0; i < rounds; ++i) {
    ours_ms.push_back(milliseconds(ours.run));
    peer_ms.push_back(milliseconds(peer.run));
    ratios.push_back(peer_ms.back() / ours_ms.back());
  }
  std::sort(ratios.begin(), ratios.end());
  const auto quartile = [&](size_t q) { return ratios[q * (ratios.size() - 1) / 4]; };
  const Medians medians{median(ours_ms), median(peer_ms)};
  std::printf("%-44s %s %.2f ms, %s %.2f ms: %.2fx (quartiles %.2f to %.2f)\n", what.c_str(),
              ours.name.c_str(), medians.ours, peer.name.c_str(), medians.peer, quartile(2),
              quartile(1), quartile(3));
  std::fflush(stdout);
  return medians;
}

}  // namespace sightline::bench
