#include "tensor/gather.h"

#include "base/error.h"

#include <algorithm>
#include <cstring>

#include <ATen/Dispatch.h>
#include <ATen/OpMathType.h>
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>

namespace sightline {
namespace {

constexpr int64_t kElementsPerTask = 1 << 15;  // below this a thread costs more than it saves

at::Tensor rows_like(const at::Tensor& tensor, int64_t rows) {
  std::vector<int64_t> sizes = tensor.sizes().vec();
  sizes[0] = rows;
  return at::empty(sizes, tensor.options());
}

int64_t rows_per_task(int64_t width) { return std::max<int64_t>(1, kElementsPerTask / width); }

at::Tensor gather(const at::Tensor& source, const at::Tensor& rows) {
  const at::Tensor from = source.contiguous();
  at::Tensor to = rows_like(source, rows.numel());
  if (to.numel() == 0) return to;
  const int64_t width = to.numel() / to.size(0);
  const size_t bytes = static_cast<size_t>(width) * source.element_size();
  const auto* from_bytes = static_cast<const char*>(from.const_data_ptr());
  auto* to_bytes = static_cast<char*>(to.mutable_data_ptr());
  const int64_t* row = rows.const_data_ptr<int64_t>();
  at::parallel_for(0, rows.numel(), rows_per_task(width), [&](int64_t begin, int64_t end) {
    for (int64_t slot = begin; slot < end; ++slot) {
      if (row[slot] == kNoRow) {
        std::memset(to_bytes + slot * bytes, 0, bytes);
      } else {
        std::memcpy(to_bytes + slot * bytes, from_bytes + row[slot] * bytes, bytes);
      }
    }
  });
  return to;
}

// to[row] = sum of from[slot] over the row's slots; `sum` is room for one row.
template <class T, class Sum>
void sum_slots(const T* from, const int64_t* slots, int64_t count, int64_t width, Sum* sum, T* to) {
  if (count == 0) {
    std::fill_n(to, width, T(0));
    return;
  }
  if (count == 1) {
    std::copy_n(from + slots[0] * width, width, to);
    return;
  }
  const T* first = from + slots[0] * width;
  for (int64_t i = 0; i < width; ++i) sum[i] = static_cast<Sum>(first[i]);
  for (int64_t s = 1; s < count; ++s) {
    const T* next = from + slots[s] * width;
    for (int64_t i = 0; i < width; ++i) sum[i] += static_cast<Sum>(next[i]);
  }
  for (int64_t i = 0; i < width; ++i) to[i] = static_cast<T>(sum[i]);
}

at::Tensor scatter_sum(const at::Tensor& slot_values, const at::Tensor& first_slot,
                       const at::Tensor& slots) {
  const at::Tensor from = slot_values.contiguous();
  const int64_t rows = first_slot.numel() - 1;
  at::Tensor to = rows_like(from, rows);
  if (to.numel() == 0) return to;
  const int64_t width = to.numel() / rows;
  const int64_t* first = first_slot.const_data_ptr<int64_t>();
  const int64_t* slot = slots.const_data_ptr<int64_t>();
  AT_DISPATCH_FLOATING_TYPES_AND2(at::kBFloat16, at::kHalf, from.scalar_type(), "scatter_sum", [&] {
    const scalar_t* source = from.const_data_ptr<scalar_t>();
    scalar_t* target = to.mutable_data_ptr<scalar_t>();
    at::parallel_for(0, rows, rows_per_task(width), [&](int64_t begin, int64_t end) {
      std::vector<at::opmath_type<scalar_t>> sum(width);
      for (int64_t row = begin; row < end; ++row) {
        sum_slots(source, slot + first[row], first[row + 1] - first[row], width, sum.data(),
                  target + row * width);
      }
    });
  });
  return to;
}

class GatherRows : public torch::autograd::Function<GatherRows> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& source,
                            const GatherTable& table) {
    context->saved_data["first_slot"] = table.first_slot;
    context->saved_data["slots"] = table.slots;
    return gather(source, table.rows);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    return {scatter_sum(gradients[0], context->saved_data["first_slot"].toTensor(),
                        context->saved_data["slots"].toTensor()),
            at::Tensor()};
  }
};

}  // namespace

GatherTable make_gather_table(const std::vector<int64_t>& rows, int64_t num_sources) {
  std::vector<int64_t> first(num_sources + 1, 0);
  for (const int64_t row : rows) {
    SL_ASSERT(row >= kNoRow && row < num_sources, "row {} of {}", row, num_sources);
    if (row != kNoRow) ++first[row + 1];
  }
  for (int64_t row = 0; row < num_sources; ++row) first[row + 1] += first[row];

  GatherTable table;
  const auto options = at::TensorOptions().dtype(at::kLong);
  table.rows = at::empty({static_cast<int64_t>(rows.size())}, options);
  table.first_slot = at::empty({num_sources + 1}, options);
  table.slots = at::empty({first.back()}, options);
  std::copy(rows.begin(), rows.end(), table.rows.mutable_data_ptr<int64_t>());
  std::copy(first.begin(), first.end(), table.first_slot.mutable_data_ptr<int64_t>());
  auto* slots = table.slots.mutable_data_ptr<int64_t>();
  for (size_t slot = 0; slot < rows.size(); ++slot) {
    if (rows[slot] != kNoRow) slots[first[rows[slot]]++] = static_cast<int64_t>(slot);
  }
  return table;
}

at::Tensor gather_rows(const at::Tensor& source, const GatherTable& table) {
  SL_ASSERT(source.is_cpu(), "gather_rows runs on the CPU");
  SL_ASSERT(source.size(0) == table.num_sources(), "{} rows for a table of {}", source.size(0),
            table.num_sources());
  return GatherRows::apply(source, table);
}

}  // namespace sightline
