#pragma once
// The other side of bench/common.py's Served: work that is done once for each line on stdin, so
// that a script can let programs take turns.

#include "bench/ratio.h"

#include <functional>
#include <iostream>
#include <string>

namespace sightline::bench {

// Runs once to set up, prints a line of JSON, then one with the seconds of each run asked for.
inline void serve(const std::function<void()>& run) {
  run();
  std::printf("{\"ready\": true}\n");
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
    std::printf("{\"seconds\": %.6f}\n", milliseconds(run) / 1000);
    std::fflush(stdout);
  }
}

}  // namespace sightline::bench
