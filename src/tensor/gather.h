#pragma once
// Rows of a tensor copied by index, differentiably. The backward of a gather is a sum by index;
// here it runs over the source's rows, each summing its slots in ascending order, so it is parallel
// and yet the same to the bit every time.

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

namespace sightline {

inline constexpr int64_t kNoRow = -1;  // a slot that holds zeros and passes no gradient

// Which source row each slot copies, and the same the other way round: row r is copied to
// slots[first_slot[r]] .. slots[first_slot[r + 1] - 1], ascending. int64, on the CPU.
struct GatherTable {
  at::Tensor rows;        // [slots] row of the source, or kNoRow
  at::Tensor first_slot;  // [sources + 1]
  at::Tensor slots;       // [slots that are not kNoRow]

  int64_t num_slots() const { return rows.numel(); }
  int64_t num_sources() const { return first_slot.numel() - 1; }
};

GatherTable make_gather_table(const std::vector<int64_t>& rows, int64_t num_sources);

// [sources, ...] -> [slots, ...]. Any strides; fp32, fp64, fp16 or bf16 (16-bit gradients are
// summed in fp32 and rounded once). On the CPU.
at::Tensor gather_rows(const at::Tensor& source, const GatherTable& table);

}  // namespace sightline
