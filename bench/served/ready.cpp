// Loads a model folder and ends: bench/start.py times the whole program.
//
//   bench_ready FOLDER

#include "bundle/bundle.h"

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const auto bundle = sightline::load_bundle(arguments[1], at::kBFloat16, sightline::Loading::map);
  return bundle.model == nullptr ? 1 : 0;
}
