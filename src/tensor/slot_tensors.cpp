#include "tensor/device.h"
#include "tensor/gather.h"
#include "tensor/sum_type.h"
#include "tensor/summing_passes.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

namespace sightline {
namespace {

// Where the slots' heads stand, in rows of d elements: [S, h].
at::Tensor places(const SlotTable::Tensors& table, int64_t heads) {
  const at::Tensor head_h = at::arange(heads, table.first_S.options());
  return table.first_S.unsqueeze(1) * heads + head_h * table.length_S.unsqueeze(1) +
         table.at_S.unsqueeze(1);
}

}  // namespace

SlotTable::Tensors slot_tensors(const SlotTable& table, at::Device device) {
  std::vector<int64_t> row, first, at, length;
  for (const SlotTable::Slot& slot : table.slots()) {
    row.push_back(slot.row < 0 ? table.rows() : slot.row);
    first.push_back(slot.run_first);
    at.push_back(slot.at);
    length.push_back(slot.length);
  }
  SlotTable::Tensors tensors{.row_S = indices(row, device),
                             .first_S = indices(first, device),
                             .at_S = indices(at, device),
                             .length_S = indices(length, device)};
  tensors.passes = summing_passes(row, table.rows(), device);
  return tensors;
}

std::vector<SlotTable::Tensors::Pass> summing_passes(std::span<const int64_t> row_of_slot,
                                                     int64_t rows, at::Device device) {
  std::vector<size_t> passes_of_row(static_cast<size_t>(rows), 0);
  std::vector<std::vector<int64_t>> rows_of, slots_of;  // by pass
  for (size_t slot = 0; slot < row_of_slot.size(); ++slot) {
    const int64_t row = row_of_slot[slot];
    if (row == rows) continue;
    const size_t pass = passes_of_row[static_cast<size_t>(row)]++;
    if (pass == rows_of.size()) {
      rows_of.emplace_back();
      slots_of.emplace_back();
    }
    rows_of[pass].push_back(row);
    slots_of[pass].push_back(static_cast<int64_t>(slot));
  }
  std::vector<SlotTable::Tensors::Pass> passes;
  for (size_t pass = 0; pass < rows_of.size(); ++pass) {
    passes.push_back({indices(rows_of[pass], device), indices(slots_of[pass], device)});
  }
  return passes;
}

at::Tensor plain_gather_slots(const at::Tensor& x, const SlotTable::Tensors& table) {
  const int64_t heads = x.size(1), d = x.size(2), slots = table.row_S.size(0);
  const at::Tensor nothing = at::zeros({1, heads, d}, x.options());
  const at::Tensor gathered_Shd = at::cat({x, nothing}).index_select(0, table.row_S);
  return at::empty({slots * heads, d}, x.options())
      .index_copy_(0, places(table, heads).flatten(), gathered_Shd.view({slots * heads, d}));
}

at::Tensor plain_sum_slots(const at::Tensor& slots, const SlotTable::Tensors& table, int64_t rows,
                           int64_t heads) {
  const int64_t d = slots.size(1);
  const at::Tensor places_Sh = places(table, heads);
  const auto precise = slots.options().dtype(sum_type(slots.scalar_type()));
  at::Tensor sum_Rhd = at::zeros({rows, heads, d}, precise);
  for (const auto& [rows_N, slots_N] : table.passes) {
    const at::Tensor places_N = places_Sh.index_select(0, slots_N).flatten();
    sum_Rhd.index_add_(
        0, rows_N, slots.index_select(0, places_N).view({-1, heads, d}).to(sum_Rhd.scalar_type()));
  }
  return sum_Rhd.to(slots.scalar_type());
}

}  // namespace sightline
