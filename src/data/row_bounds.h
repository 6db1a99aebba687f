#pragma once
// How many rows a sample may take, asked alike by the loader and by `data check`.

#include "batch/compose.h"

#include <cstdint>

namespace sightline {

struct RowBounds {
  int64_t conversation = 0;  // that the model takes (max_position_embeddings); 0: no bound
  int64_t sample = 0;        // packed, in one forward (micro_tokens); 0: no bound
};

// Of two bounds, 0 being none, the tighter.
int64_t tighter(int64_t a, int64_t b);

// Rows that the sample takes, packed. More than a bound allows is an Error naming the sample.
int64_t rows_within(const RowBounds& bounds, const Sample& sample, const ComposeOptions& options);

}  // namespace sightline
