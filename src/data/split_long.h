#pragma once
// Conversations longer than a model takes, cut between turns: too_long = "split" of a data table.

#include "data/dataset.h"
#include "sample/encoder.h"

#include <cstdint>
#include <memory>

namespace sightline {

// `dataset` with each conversation of more than `max_rows` rows made several examples: as many
// exchanges (a user's turn and its answer) in a row as fit, with the pictures that they show and no
// others. Nothing is cut within a turn: an exchange that is too long by itself stays, for the
// loader to find. What fits, and a bad example, stays as it is. Encodes every example once when
// opened. `encoder` must outlive the call alone.
std::unique_ptr<Dataset> split_long(std::unique_ptr<Dataset> dataset, const SampleEncoder& encoder,
                                    int64_t max_rows);

}  // namespace sightline
