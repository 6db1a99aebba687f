#include "tensor/attention.h"

#include "base/error.h"
#include "tensor/device.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/_softmax.h>
#include <ATen/ops/_softmax_backward_data.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/baddbmm.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <torch/csrc/autograd/custom_function.h>

namespace sightline {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using Group = AttentionTables::Group;
using Lowered = AttentionTables::Lowered;

// Gathered queries [slots * H, d] as one group's [B * G, H / G * Lq, d]: the query heads of one key
// head lie side by side, so grouped-query attention is a taller product and no copy of the keys.
at::Tensor group_queries(const at::Tensor& slots, const Group& group, int64_t heads,
                         int64_t key_heads) {
  const int64_t rows = group.runs * group.queries * heads;
  return slots.narrow(0, group.first_query * heads, rows)
      .view({group.runs * key_heads, rows / (group.runs * key_heads), slots.size(1)});
}

// Gathered keys or values [slots * G, d] as one group's [B * G, Lk, d].
at::Tensor group_keys(const at::Tensor& slots, const Group& group, int64_t key_heads) {
  return slots.narrow(0, group.first_key * key_heads, group.runs * group.keys * key_heads)
      .view({group.runs * key_heads, group.keys, slots.size(1)});
}

// to = scale * a b, overwriting `to`.
void scaled_product(at::Tensor to, const at::Tensor& a, const at::Tensor& b, double scale) {
  to.baddbmm_(a, b, /*beta=*/0, /*alpha=*/scale);
}

// Scores [B * G, H / G * Lq, Lk]: -inf behind what each query sees.
void hide_unseen(at::Tensor& scores, const Group& group) {
  if (group.seen.empty()) return;
  if (group.seen_BQ.defined()) {
    const at::Tensor key_k = at::arange(group.keys, group.seen_BQ.options());
    const at::Tensor hidden_B1QK = (key_k >= group.seen_BQ.view({group.runs, 1, group.queries, 1}));
    scores.view({group.runs, -1, group.queries, group.keys})
        .masked_fill_(hidden_B1QK, -std::numeric_limits<double>::infinity());
    return;
  }
  const int64_t rows = scores.size(0) * scores.size(1);
  const int64_t rows_of_run = rows / group.runs;
  AT_DISPATCH_FLOATING_TYPES_AND2(
      at::kBFloat16, at::kHalf, scores.scalar_type(), "hide_unseen", [&] {
        const scalar_t hidden = -std::numeric_limits<scalar_t>::infinity();
        scalar_t* const score = scores.mutable_data_ptr<scalar_t>();
        at::parallel_for(0, rows, 1024, [&](int64_t begin, int64_t end) {
          for (int64_t row = begin; row < end; ++row) {
            const int64_t run = row / rows_of_run, query = row % group.queries;
            const int32_t seen = group.seen[run * group.queries + query];
            std::fill(score + row * group.keys + seen, score + (row + 1) * group.keys, hidden);
          }
        });
      });
}

// The tables, held by an autograd graph.
struct TablesHolder : torch::CustomClassHolder {
  explicit TablesHolder(std::shared_ptr<const Lowered> held) : lowered(std::move(held)) {}
  std::shared_ptr<const Lowered> lowered;
};

class PlannedAttention : public torch::autograd::Function<PlannedAttention> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& q, const at::Tensor& k,
                            const at::Tensor& v, const std::shared_ptr<const Lowered>& lowered,
                            double scale) {
    const int64_t heads = q.size(1), key_heads = k.size(1);
    const at::Tensor queries = gather_slots(q, lowered->queries);
    const at::Tensor keys = gather_slots(k, lowered->keys);
    const at::Tensor values = gather_slots(v, lowered->keys);
    const at::Tensor outputs = at::empty_like(queries);
    variable_list saved = {q, k, v};
    for (const Group& group : lowered->groups) {
      const at::Tensor q_g = group_queries(queries, group, heads, key_heads);
      at::Tensor weights = at::empty({q_g.size(0), q_g.size(1), group.keys}, q.options());
      scaled_product(weights, q_g, group_keys(keys, group, key_heads).transpose(1, 2), scale);
      hide_unseen(weights, group);
      at::_softmax_out(weights, weights, -1, /*half_to_float=*/false);
      at::Tensor out_g = group_queries(outputs, group, heads, key_heads);
      at::bmm_out(out_g, weights, group_keys(values, group, key_heads));
      saved.push_back(weights);
    }
    context->save_for_backward(saved);
    context->saved_data["scale"] = scale;
    context->saved_data["tables"] =
        c10::IValue::make_capsule(c10::make_intrusive<TablesHolder>(lowered));
    return sum_slots(outputs, lowered->queries, heads);
  }

  // With P = softmax(S), S = scale q k^T, o = P v:  dv = P^T do;  dP = do v^T;
  // dS = P * (dP - rowsum(P * dP));  dq = scale dS k;  dk = scale dS^T q.
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const double scale = context->saved_data["scale"].toDouble();
    const auto holder = context->saved_data["tables"].toCapsule();
    const Lowered& lowered = *static_cast<const TablesHolder&>(*holder).lowered;
    const int64_t heads = saved[0].size(1), key_heads = saved[1].size(1);

    const at::Tensor queries = gather_slots(saved[0], lowered.queries);
    const at::Tensor keys = gather_slots(saved[1], lowered.keys);
    const at::Tensor values = gather_slots(saved[2], lowered.keys);
    const at::Tensor d_outputs = gather_slots(gradients[0], lowered.queries);
    const at::Tensor d_queries = at::empty_like(queries);
    const at::Tensor d_keys = at::empty_like(keys);
    const at::Tensor d_values = at::empty_like(values);
    for (size_t i = 0; i < lowered.groups.size(); ++i) {
      const Group& group = lowered.groups[i];
      const at::Tensor& weights = saved[3 + i];
      const at::Tensor d_out = group_queries(d_outputs, group, heads, key_heads);
      at::Tensor d_v = group_keys(d_values, group, key_heads);
      at::bmm_out(d_v, weights.transpose(1, 2), d_out);
      at::Tensor d_weights = at::empty_like(weights);
      at::bmm_out(d_weights, d_out, group_keys(values, group, key_heads).transpose(1, 2));
      at::Tensor& d_scores = d_weights;
      at::_softmax_backward_data_out(d_scores, d_weights, weights, -1, weights.scalar_type());
      scaled_product(group_queries(d_queries, group, heads, key_heads), d_scores,
                     group_keys(keys, group, key_heads), scale);
      scaled_product(group_keys(d_keys, group, key_heads), d_scores.transpose(1, 2),
                     group_queries(queries, group, heads, key_heads), scale);
    }
    return {sum_slots(d_queries, lowered.queries, heads),
            sum_slots(d_keys, lowered.keys, key_heads),
            sum_slots(d_values, lowered.keys, key_heads), at::Tensor(), at::Tensor()};
  }
};

void assert_shapes(int64_t rows, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  SL_ASSERT(q.dim() == 3 && k.dim() == 3 && k.sizes() == v.sizes(),
            "q is [T, H, d], k and v are [T, G, d]");
  SL_ASSERT(q.size(0) == rows && k.size(0) == rows, "{} queries and {} keys for {} rows", q.size(0),
            k.size(0), rows);
  SL_ASSERT(q.size(2) == k.size(2) && q.size(1) % k.size(1) == 0, "{} x {} queries, {} x {} keys",
            q.size(1), q.size(2), k.size(1), k.size(2));
}

}  // namespace

at::Tensor planned_attention(const AttentionTables& tables, const at::Tensor& q_THd,
                             const at::Tensor& k_TGd, const at::Tensor& v_TGd, double scale) {
  assert_shapes(tables.rows, q_THd, k_TGd, v_TGd);
  if (tables.lowered->flash) {
    return flash_attention(*tables.lowered->flash, q_THd, k_TGd, v_TGd, scale);
  }
  if (tables.lowered->tiles) {
    return tile_attention(*tables.lowered->tiles, q_THd, k_TGd, v_TGd, scale);
  }
  return PlannedAttention::apply(q_THd, k_TGd, v_TGd, tables.lowered, scale);
}

at::Tensor dense_attention(const Layout& layout, const at::Tensor& q_THd, const at::Tensor& k_TGd,
                           const at::Tensor& v_TGd, double scale) {
  const int64_t rows = layout.rows();
  assert_shapes(rows, q_THd, k_TGd, v_TGd);
  at::Tensor mask = at::empty({rows, rows}, at::kBool);
  bool* entry = mask.mutable_data_ptr<bool>();
  for (int64_t q = 0; q < rows; ++q) {
    for (int64_t k = 0; k < rows; ++k) *entry++ = allowed(layout, q, k);
  }
  const auto heads_first = [](const at::Tensor& x) { return x.transpose(0, 1).unsqueeze(0); };
  return at::scaled_dot_product_attention(
             heads_first(q_THd), heads_first(k_TGd), heads_first(v_TGd),
             on_device(mask, q_THd.device()), /*dropout_p=*/0.0,
             /*is_causal=*/false, scale, /*enable_gqa=*/q_THd.size(1) != k_TGd.size(1))
      .squeeze(0)
      .transpose(0, 1);
}

}  // namespace sightline
