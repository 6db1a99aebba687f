#include "tensor/device.h"
#include "tensor/gather.h"

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

at::ScalarType sum_type(at::ScalarType dtype) {
  return dtype == at::kDouble ? at::kDouble : at::kFloat;
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
  const std::vector<int32_t>&first_of_row = table.first_of_row(), &slots = table.slots_of_row();
  for (int32_t pass = 0;; ++pass) {
    std::vector<int64_t> rows, chosen;
    for (int64_t r = 0; r < table.rows(); ++r) {
      if (first_of_row[r] + pass >= first_of_row[r + 1]) continue;
      rows.push_back(r);
      chosen.push_back(slots[first_of_row[r] + pass]);
    }
    if (rows.empty()) return tensors;
    tensors.passes.push_back({indices(rows, device), indices(chosen, device)});
  }
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
