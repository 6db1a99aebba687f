// Loads a model folder and ends as the program does: bench/start.py times the whole process.
//
//   bench_ready FOLDER

#include "bundle/bundle.h"

#include <cstdlib>

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const auto bundle = sightline::load_bundle(arguments[1], at::kBFloat16, sightline::Loading::map);
  std::_Exit(bundle.model == nullptr ? 1 : 0);
}
