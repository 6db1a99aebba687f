#pragma once
// Inside data/: a step's micro-batches dealt to the ranks of a run.

#include "data/loader.h"
#include "data/prepare.h"

#include <cstdint>
#include <span>
#include <vector>

namespace sightline {

// What the samples of one micro-batch have the model compute. Attention is taken to cost as if each
// sample's rows saw each other: the batch, which knows better, is made by its rank alone.
MicroBatchWork work_of(std::span<const PreparedSample> samples);

// The rank of each micro-batch: the dearest first, each to the rank that has least so far (Graham
// 1969: the heaviest rank has at most 4/3 of the least possible). A function of its arguments
// alone, so that all ranks deal alike.
std::vector<int64_t> deal(std::span<const double> costs, int64_t ranks);

}  // namespace sightline
