#pragma once
// Fills a feature store: the frozen lower part of the vision model is run once over every picture
// that a stage will show, in batches of one fixed shape, before the stage's first step.

#include "bundle/bundle.h"
#include "data/dataset.h"
#include "data/feature_store.h"
#include "data/loader.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

namespace sightline {

struct FillOptions {
  std::string cache = ".cache/features";
  int64_t depth = 0;   // the vision model's cut (VisionEncoder::below)
  int64_t batch = 32;  // images a forward; the last batch is padded to it
  // Ranks that fill the store together: each computes every ranks-th batch of those that are
  // missing. `meet` returns when all have called it; each calls it before the first batch, after
  // each round of batches, and at the end.
  int64_t rank = 0, ranks = 1;
  std::function<void()> meet;
};

// Opens the store for (processor, weights below the cut, cut) and computes what `datasets` lack in
// it. Killed and run again it goes on where it was. An unreadable picture is an Error naming it,
// unless its dataset skips bad samples.
std::unique_ptr<FeatureStore> filled_store(const Bundle& bundle,
                                           std::span<const LoaderEntry> entries,
                                           const FillOptions& options);

}  // namespace sightline
