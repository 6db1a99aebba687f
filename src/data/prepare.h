#pragma once
// Inside data/: one draw of the mixture made ready for packing, by a worker, and packed samples
// made into a batch. Pure functions of the options and the draw, so workers may take any turn.

#include "batch/batch.h"
#include "data/loader.h"
#include "data/mixture.h"
#include "data/pictures.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sightline {

struct PreparedSample {
  Draw draw;
  Sample sample;
  std::vector<Picture> pictures;  // of sample.images; on several ranks perhaps not opened yet
  int64_t rows = 0;               // packed
  int64_t images = 0;             // once for each document that holds them
  int64_t predictions = 0;        // supervised tokens; pictures, where those are reconstructed
  std::string problem;            // not empty: a bad sample, to be passed over
};

// A bad sample is an Error naming its file and row, or has a `problem` under on_bad_sample =
// "skip".
PreparedSample prepare_sample(const LoaderOptions& options, const Draw& draw);

// Opens what prepare_sample() left unopened.
Batch make_batch(const LoaderOptions& options, std::span<PreparedSample> samples);

}  // namespace sightline
