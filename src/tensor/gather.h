#pragma once
// Packed rows copied into padded runs, and summed back.
//
// A run is `length` slots; a slot copies one packed row, or none (padding). Runs lie side by side,
// each head-major, so that a product over (run, head) reads contiguous matrices: with h heads of
// size d, slot i of a run whose first slot is f stands at [f * h + head * length + i] of [slots *
// h, d]. A row may stand in many slots. Summing back goes over rows, each adding its slots in
// ascending order: parallel, and yet the same to the bit every time, on whichever device.

#include <cstdint>
#include <optional>
#include <vector>

#include <ATen/core/Tensor.h>

namespace sightline {

class SlotTable {
 public:
  struct Slot {
    int32_t row = -1;       // the packed row that it copies; -1: padding
    int32_t run_first = 0;  // the first slot of its run
    int32_t at = 0;         // its place in the run
    int32_t length = 0;     // of the run
  };

  // The same as tensors, for devices other than the CPU. Where a row's first, second, ... slot is
  // added no row comes twice, so that the order of sums is decided.
  struct Tensors {
    struct Pass {
      at::Tensor rows_N, slots_N;
    };
    at::Tensor row_S, first_S, at_S, length_S;  // padding: row `rows`, which is zero
    std::vector<Pass> passes;
  };

  explicit SlotTable(int64_t rows = 0) : rows_(rows) {}

  // A run of at least `rows.size()` slots, the rest padding. Then, once: index().
  void add_run(const std::vector<int32_t>& rows, int32_t length);
  void index(at::Device device = at::kCPU);

  int64_t rows() const { return rows_; }
  const std::vector<Slot>& slots() const { return slots_; }
  // Row r stands in slots slots_of_row()[first_of_row()[r] .. first_of_row()[r + 1]), ascending.
  const std::vector<int32_t>& first_of_row() const { return first_of_row_; }
  const std::vector<int32_t>& slots_of_row() const { return slots_of_row_; }
  // Of the device that index() was given, if that is not the CPU.
  const std::optional<Tensors>& tensors() const { return tensors_; }

 private:
  int64_t rows_ = 0;
  std::vector<Slot> slots_;
  std::vector<int32_t> first_of_row_, slots_of_row_;
  std::optional<Tensors> tensors_;
};

SlotTable::Tensors slot_tensors(const SlotTable& table, at::Device device);

// x [rows, h, d] -> [slots * h, d], padding zero. Any dtype, any strides; on the CPU, or on the
// device of the table's tensors.
at::Tensor gather_slots(const at::Tensor& x, const SlotTable& table);

// slots [slots * h, d] -> [rows, h, d]: each row the sum of its slots, zero where it has none.
// 16-bit values are summed in fp32 and rounded once.
at::Tensor sum_slots(const at::Tensor& slots, const SlotTable& table, int64_t heads);

// The definitions, operation by operation on any device; they serve those that are not the CPU.
at::Tensor plain_gather_slots(const at::Tensor& x, const SlotTable::Tensors& table);
at::Tensor plain_sum_slots(const at::Tensor& slots, const SlotTable::Tensors& table, int64_t rows,
                           int64_t heads);

}  // namespace sightline
