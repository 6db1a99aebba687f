#include "tensor/gather.h"

#include "base/error.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include <ATen/Dispatch.h>
#include <ATen/OpMathType.h>
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

namespace sightline {
namespace {

using Slot = SlotTable::Slot;

constexpr int64_t kElementsPerTask = 1 << 15;  // below this a thread costs more than it saves

int64_t rows_per_task(int64_t width) { return std::max<int64_t>(1, kElementsPerTask / width); }

// Where a slot's head stands, in rows of d elements.
int64_t place(const Slot& slot, int64_t heads, int64_t head) {
  return int64_t{slot.run_first} * heads + head * slot.length + slot.at;
}

// Elements summed at once: a fixed count, so that the compiler keeps the sums in vector registers.
constexpr int64_t kLanes = 16;

// One row of the sum: to [heads, d] from the slots of `indices`.
template <class T>
void sum_row(const T* from, const std::vector<Slot>& slots, std::span<const int32_t> indices,
             int64_t heads, int64_t d, T* to) {
  for (int64_t head = 0; head < heads; ++head, to += d) {
    if (indices.size() == 1) {
      std::copy_n(from + place(slots[indices[0]], heads, head) * d, d, to);
      continue;
    }
    int64_t e = 0;
    for (; e + kLanes <= d; e += kLanes) {
      std::array<at::opmath_type<T>, kLanes> sum{};
      for (const int32_t i : indices) {
        const T* const values = from + place(slots[i], heads, head) * d + e;
        for (int64_t lane = 0; lane < kLanes; ++lane) sum[lane] += values[lane];
      }
      for (int64_t lane = 0; lane < kLanes; ++lane) to[e + lane] = static_cast<T>(sum[lane]);
    }
    for (; e < d; ++e) {
      at::opmath_type<T> sum = 0;
      for (const int32_t i : indices) sum += from[place(slots[i], heads, head) * d + e];
      to[e] = static_cast<T>(sum);
    }
  }
}

}  // namespace

void SlotTable::add_run(const std::vector<int32_t>& rows, int32_t length) {
  SL_ASSERT(static_cast<int64_t>(rows.size()) <= length, "{} rows in a run of {}", rows.size(),
            length);
  const auto first = static_cast<int32_t>(slots_.size());
  for (int32_t at = 0; at < length; ++at) {
    const int32_t row = at < static_cast<int32_t>(rows.size()) ? rows[at] : -1;
    SL_ASSERT(row < rows_, "row {} of {}", row, rows_);
    slots_.push_back({row, first, at, length});
  }
}

void SlotTable::index(at::Device device) {
  first_of_row_.assign(rows_ + 1, 0);
  for (const Slot& slot : slots_) {
    if (slot.row >= 0) ++first_of_row_[slot.row + 1];
  }
  for (int64_t row = 0; row < rows_; ++row) first_of_row_[row + 1] += first_of_row_[row];
  slots_of_row_.resize(first_of_row_.back());
  std::vector<int32_t> next = first_of_row_;
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].row >= 0) slots_of_row_[next[slots_[i].row]++] = static_cast<int32_t>(i);
  }
  if (!device.is_cpu()) tensors_ = slot_tensors(*this, device);
}

at::Tensor gather_slots(const at::Tensor& x, const SlotTable& table) {
  if (table.tensors()) return plain_gather_slots(x, *table.tensors());
  SL_ASSERT(x.is_cpu() && x.dim() == 3 && x.size(0) == table.rows(),
            "[rows, heads, d] on the CPU, {} rows", table.rows());
  const at::Tensor from = x.contiguous();
  const int64_t heads = x.size(1), d = x.size(2);
  const auto slots = static_cast<int64_t>(table.slots().size());
  at::Tensor to = at::empty({slots * heads, d}, x.options());
  const size_t bytes = d * x.element_size();
  const auto* source = static_cast<const char*>(from.const_data_ptr());
  auto* target = static_cast<char*>(to.mutable_data_ptr());
  at::parallel_for(0, slots, rows_per_task(heads * d), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Slot& slot = table.slots()[i];
      for (int64_t head = 0; head < heads; ++head) {
        char* const copy = target + place(slot, heads, head) * bytes;
        if (slot.row < 0) {
          std::memset(copy, 0, bytes);
        } else {
          std::memcpy(copy, source + (slot.row * heads + head) * bytes, bytes);
        }
      }
    }
  });
  return to;
}

at::Tensor sum_slots(const at::Tensor& slots, const SlotTable& table, int64_t heads) {
  const int64_t d = slots.size(1);
  SL_ASSERT(
      slots.is_contiguous() && slots.size(0) == static_cast<int64_t>(table.slots().size()) * heads,
      "{} x {} slots, not {}", table.slots().size(), heads, slots.size(0));
  if (table.tensors()) return plain_sum_slots(slots, *table.tensors(), table.rows(), heads);
  at::Tensor to = at::empty({table.rows(), heads, d}, slots.options());
  const int32_t* const first = table.first_of_row().data();
  const int32_t* const indices = table.slots_of_row().data();
  AT_DISPATCH_FLOATING_TYPES_AND2(at::kBFloat16, at::kHalf, slots.scalar_type(), "sum_slots", [&] {
    const scalar_t* const from = slots.const_data_ptr<scalar_t>();
    scalar_t* const out = to.mutable_data_ptr<scalar_t>();
    at::parallel_for(0, table.rows(), rows_per_task(heads * d), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const auto count = static_cast<size_t>(first[row + 1] - first[row]);
        sum_row(from, table.slots(), {indices + first[row], count}, heads, d,
                out + row * heads * d);
      }
    });
  });
  return to;
}

}  // namespace sightline
