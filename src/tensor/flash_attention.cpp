#include "tensor/flash_attention.h"

#include "tensor/device.h"
#include "tensor/summing_passes.h"

#include <algorithm>
#include <map>
#include <mutex>

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_flash_attention_forward.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>
#include <torch/csrc/autograd/custom_function.h>

namespace sightline {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using Call = FlashTables::Call;
using Passes = std::vector<SlotTable::Tensors::Pass>;

struct PassesHolder : torch::CustomClassHolder {
  explicit PassesHolder(const Passes& held) : passes(held) {}
  Passes passes;
};

// x [T, G, d] -> [K, G, d]; the gradient of a row that is copied several times is the sum of the
// copies' in their order, in fp32.
struct CopiedRows : torch::autograd::Function<CopiedRows> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x_TGd,
                            const at::Tensor& rows_K, const Passes& passes) {
    context->saved_data["rows"] = x_TGd.size(0);
    context->saved_data["passes"] =
        c10::IValue::make_capsule(c10::make_intrusive<PassesHolder>(passes));
    return x_TGd.index_select(0, rows_K);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const at::Tensor& d_KGd = gradients[0];
    const auto holder = context->saved_data["passes"].toCapsule();
    const Passes& passes = static_cast<const PassesHolder&>(*holder).passes;
    at::Tensor sum_TGd =
        at::zeros({context->saved_data["rows"].toInt(), d_KGd.size(1), d_KGd.size(2)},
                  d_KGd.options().dtype(at::kFloat));
    for (const auto& [rows_N, copies_N] : passes) {
      sum_TGd.index_add_(0, rows_N, d_KGd.index_select(0, copies_N).to(at::kFloat));
    }
    return {sum_TGd.to(d_KGd.scalar_type()), at::Tensor(), at::Tensor()};
  }
};

at::Tensor starts_tensor(const std::vector<int32_t>& starts, at::Device device) {
  return on_device(at::tensor(at::ArrayRef<int32_t>(starts), at::kInt), device);
}

void append_range(int32_t begin, int32_t end, std::vector<int64_t>& rows) {
  for (int32_t row = begin; row < end; ++row) rows.push_back(row);
}

// The runs of one kind as a call; appends its query rows to `order`.
Call call_of(const AttentionPlan& plan, bool causal, at::Device device,
             std::vector<int64_t>& order) {
  Call call{.is_causal = causal};
  std::vector<int64_t> query_rows, key_rows;
  std::vector<int32_t> query_starts = {0}, key_starts = {0};
  for (const Run& run : plan.runs) {
    if (run.causal != causal) continue;
    append_range(run.begin, run.end, query_rows);
    append_range(run.trunk_begin, run.trunk_end, key_rows);
    append_range(run.own_begin, run.end, key_rows);
    query_starts.push_back(static_cast<int32_t>(query_rows.size()));
    key_starts.push_back(static_cast<int32_t>(key_rows.size()));
    call.most_queries = std::max<int64_t>(call.most_queries, run.num_queries());
    call.most_keys = std::max<int64_t>(call.most_keys, run.num_keys());
  }
  order.insert(order.end(), query_rows.begin(), query_rows.end());
  if (query_rows.empty()) return call;
  call.query_rows_Q = indices(query_rows, device);
  call.key_rows_K = indices(key_rows, device);
  call.query_starts_B = starts_tensor(query_starts, device);
  call.key_starts_B = starts_tensor(key_starts, device);
  call.key_passes = summing_passes(key_rows, plan.rows, device);
  return call;
}

at::Tensor attended(const Call& call, const at::Tensor& q_QHd, const at::Tensor& k_KGd,
                    const at::Tensor& v_KGd, double scale) {
  return std::get<0>(at::_flash_attention_forward(
      q_QHd, k_KGd, v_KGd, call.query_starts_B, call.key_starts_B, call.most_queries,
      call.most_keys, /*dropout_p=*/0.0, call.is_causal, /*return_debug_mask=*/false, scale));
}

bool computes_flash(at::Device device) {
  const at::NoGradGuard no_grad;
  const at::Tensor row_THd = at::zeros({1, 1, 8}, at::TensorOptions(at::kBFloat16).device(device));
  const at::Tensor starts = starts_tensor({0, 1}, device);
  try {
    attended({.query_starts_B = starts, .key_starts_B = starts, .most_queries = 1, .most_keys = 1},
             row_THd, row_THd, row_THd, 1.0);
    return true;
  } catch (const c10::Error&) {
    return false;  // an older GPU, or a LibTorch without it: products serve
  }
}

}  // namespace

bool takes_flash(at::Device device, at::ScalarType dtype, int64_t head_size) {
  const bool is_short = dtype == at::kBFloat16 || dtype == at::kHalf;
  if (device.is_cpu() || !is_short || head_size % 8 != 0 || head_size > 256) return false;
  static std::mutex mutex;
  static std::map<std::pair<int, int>, bool> known;
  const std::lock_guard lock(mutex);
  const auto key = std::pair(static_cast<int>(device.type()), static_cast<int>(device.index()));
  const auto found = known.find(key);
  if (found == known.end()) return known.emplace(key, computes_flash(device)).first->second;
  return found->second;
}

FlashTables flash_tables(const AttentionPlan& plan, at::Device device) {
  FlashTables tables;
  std::vector<int64_t> order;
  for (const bool causal : {false, true}) {
    Call call = call_of(plan, causal, device, order);
    if (call.most_queries > 0) tables.calls.push_back(std::move(call));
  }
  std::vector<int64_t> places(order.size());
  for (size_t i = 0; i < order.size(); ++i) {
    places[static_cast<size_t>(order[i])] = static_cast<int64_t>(i);
  }
  tables.places_T = indices(places, device);
  return tables;
}

at::Tensor flash_attention(const FlashTables& tables, const at::Tensor& q_THd,
                           const at::Tensor& k_TGd, const at::Tensor& v_TGd, double scale) {
  std::vector<at::Tensor> results;
  for (const Call& call : tables.calls) {
    results.push_back(attended(call, q_THd.index_select(0, call.query_rows_Q),
                               CopiedRows::apply(k_TGd, call.key_rows_K, call.key_passes),
                               CopiedRows::apply(v_TGd, call.key_rows_K, call.key_passes), scale));
  }
  return at::cat(results).index_select(0, tables.places_T);
}

}  // namespace sightline
