#pragma once
// The order in which slots that copy rows are summed back on a device: each row's first slot, then
// its second, and so on, so that within a pass no row comes twice.

#include "tensor/gather.h"

#include <cstdint>
#include <span>
#include <vector>

namespace sightline {

// `row_of_slot`: which of `rows` rows each slot copies; padding, which is not summed, has `rows`.
std::vector<SlotTable::Tensors::Pass> summing_passes(std::span<const int64_t> row_of_slot,
                                                     int64_t rows, at::Device device);

}  // namespace sightline
