#pragma once
// Inside data/: pictures on their way from a file to a batch.

#include "batch/batch.h"
#include "data/feature_store.h"
#include "image/image.h"
#include "image/processor.h"

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace sightline {

// Where a batch's pictures come from.
struct PictureOptions {
  const Processor* processor = nullptr;  // may be null where `store` is set
  const FeatureStore* store = nullptr;   // where set, features in place of pixels
};

// A picture ready for a batch: the processor's square, or its record in the store.
struct Picture {
  Image image;
  std::span<const uint16_t> features;
};

// What is done to a decoded picture before the processor sees it.
using PictureChange = std::function<Image(Image)>;

// An unreadable picture, or one that the store does not hold, is an Error naming it.
// `change` may be empty, and is where a store is set.
Picture load_picture(const ImageSource& source, const PictureOptions& options,
                     const PictureChange& change = nullptr);

// Fills batch.pixels or batch.features; pictures[i] is that of batch.images[i].
void fill_pictures(Batch& batch, std::span<const Picture* const> pictures,
                   const PictureOptions& options);

}  // namespace sightline
