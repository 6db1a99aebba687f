#include "tensor/attention.h"

#include "base/error.h"

#include <algorithm>
#include <limits>
#include <span>
#include <tuple>

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/zeros.h>

namespace sightline {
namespace {

// Padding may add this share of a group's real scores, or this many scores: about what one more
// call costs.
constexpr double kPaddedShare = 0.3;
constexpr int64_t kScoresOfACall = 16384;

// How a run is masked, once its padding is out of sight. Only runs of one kind share a group.
enum class RunKind {
  block,      // every query sees every key
  square,     // causal, its keys are its queries
  rectangle,  // causal behind rows that every query sees
};

RunKind kind_of(const Run& run) {
  if (!run.causal) return RunKind::block;
  return run.num_queries() == run.num_keys() ? RunKind::square : RunKind::rectangle;
}

int64_t scores_of(const Run& run) { return int64_t{run.num_queries()} * run.num_keys(); }

// Sorted so that like runs are neighbours; `begin` breaks ties, so the order is always the same.
std::vector<Run> sorted_runs(const AttentionPlan& plan) {
  std::vector<Run> runs = plan.runs;
  std::sort(runs.begin(), runs.end(), [](const Run& a, const Run& b) {
    const auto key = [](const Run& run) {
      return std::tuple(kind_of(run), run.num_queries(), run.num_keys(), run.begin);
    };
    return key(a) < key(b);
  });
  return runs;
}

// The number of runs, from the first, that one call takes.
size_t group_size(std::span<const Run> runs) {
  int64_t queries = 0, keys = 0, real = 0;
  size_t count = 0;
  for (const Run& run : runs) {
    if (kind_of(run) != kind_of(runs.front())) break;
    queries = std::max<int64_t>(queries, run.num_queries());
    keys = std::max<int64_t>(keys, run.num_keys());
    real += scores_of(run);
    const int64_t padding = static_cast<int64_t>(count + 1) * queries * keys - real;
    const auto allowance = static_cast<int64_t>(kPaddedShare * static_cast<double>(real));
    if (padding > std::max(kScoresOfACall, allowance)) break;
    ++count;
  }
  return count;
}

// What the run's queries may not see of its padded keys. Padding queries see all: their softmax is
// finite, and nobody reads it.
void fill_mask(const Run& run, int64_t keys, float* mask) {
  constexpr float kHidden = -std::numeric_limits<float>::infinity();
  const int64_t real_queries = run.num_queries(), real_keys = run.num_keys();
  for (int64_t q = 0; q < real_queries; ++q) {
    const int64_t seen = run.causal ? real_keys - real_queries + q + 1 : real_keys;
    std::fill(mask + q * keys + seen, mask + (q + 1) * keys, kHidden);
  }
}

at::Tensor mask_of(std::span<const Run> runs, int64_t queries, int64_t keys) {
  const bool same_keys =
      std::all_of(runs.begin(), runs.end(), [&](const Run& run) { return run.num_keys() == keys; });
  const bool same_shape = same_keys && std::all_of(runs.begin(), runs.end(), [&](const Run& run) {
                            return run.num_queries() == queries;
                          });
  const RunKind kind = kind_of(runs.front());
  if (kind == RunKind::square || (kind == RunKind::block && same_keys)) return {};
  const int64_t masks = same_shape ? 1 : static_cast<int64_t>(runs.size());
  at::Tensor mask = at::zeros({masks, 1, queries, keys}, at::kFloat);
  for (int64_t i = 0; i < masks; ++i) {
    fill_mask(runs[i], keys, mask.mutable_data_ptr<float>() + i * queries * keys);
  }
  return mask;
}

void append_rows(int64_t begin, int64_t end, std::vector<int64_t>& rows) {
  for (int64_t row = begin; row < end; ++row) rows.push_back(row);
}

class Lowering {
 public:
  explicit Lowering(int64_t rows) : slot_of_row_(rows, kNoRow) { tables_.rows = rows; }

  void add_group(std::span<const Run> runs) {
    AttentionTables::Group group;
    group.runs = static_cast<int64_t>(runs.size());
    for (const Run& run : runs) {
      group.queries = std::max<int64_t>(group.queries, run.num_queries());
      group.keys = std::max<int64_t>(group.keys, run.num_keys());
    }
    for (const Run& run : runs) append(run, group.queries, group.keys);
    group.causal = kind_of(runs.front()) == RunKind::square;
    group.mask = mask_of(runs, group.queries, group.keys);
    tables_.padded_scores += group.runs * group.queries * group.keys;
    tables_.groups.push_back(group);
  }

  AttentionTables finish() && {
    const auto query_slots = static_cast<int64_t>(query_rows_.size());
    tables_.gathered_keys = static_cast<int64_t>(key_rows_.size());
    tables_.queries = make_gather_table(query_rows_, tables_.rows);
    tables_.keys = make_gather_table(key_rows_, tables_.rows);
    tables_.outputs = make_gather_table(slot_of_row_, query_slots);
    return std::move(tables_);
  }

 private:
  void append(const Run& run, int64_t queries, int64_t keys) {
    for (int64_t row = run.begin; row < run.end; ++row) {
      slot_of_row_[row] = static_cast<int64_t>(query_rows_.size());
      query_rows_.push_back(row);
    }
    query_rows_.resize(query_rows_.size() + queries - run.num_queries(), kNoRow);
    append_rows(run.trunk_begin, run.trunk_end, key_rows_);
    append_rows(run.own_begin, run.end, key_rows_);
    key_rows_.resize(key_rows_.size() + keys - run.num_keys(), kNoRow);
  }

  AttentionTables tables_;
  std::vector<int64_t> query_rows_, key_rows_, slot_of_row_;
};

// [B * L, heads, d] -> [B, heads, L, d]
at::Tensor split_runs(const at::Tensor& slots, int64_t runs) {
  return slots.view({runs, slots.size(0) / runs, slots.size(1), slots.size(2)}).transpose(1, 2);
}

at::Tensor group_attention(const AttentionTables::Group& group, const at::Tensor& q,
                           const at::Tensor& k, const at::Tensor& v, double scale) {
  std::optional<at::Tensor> mask;
  // The kernels take an fp32 mask beside 16-bit queries, but no other mixture.
  if (group.mask.defined())
    mask = q.scalar_type() == at::kDouble ? group.mask.to(at::kDouble) : group.mask;
  const at::Tensor out_BHLd = at::scaled_dot_product_attention(
      split_runs(q, group.runs), split_runs(k, group.runs), split_runs(v, group.runs), mask, 0.0,
      group.causal, scale, q.size(1) != k.size(1));
  return out_BHLd.transpose(1, 2).reshape(q.sizes());
}

void assert_shapes(int64_t rows, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  SL_ASSERT(q.dim() == 3 && k.dim() == 3 && k.sizes() == v.sizes(),
            "q [T, H, d], k and v [T, G, d]");
  SL_ASSERT(q.size(0) == rows && k.size(0) == rows, "{} queries and {} keys for {} rows", q.size(0),
            k.size(0), rows);
  SL_ASSERT(q.size(2) == k.size(2) && q.size(1) % k.size(1) == 0, "{} x {} queries, {} x {} keys",
            q.size(1), q.size(2), k.size(1), k.size(2));
}

}  // namespace

AttentionTables lower_plan(const AttentionPlan& plan) {
  Lowering lowering(plan.rows);
  const std::vector<Run> runs = sorted_runs(plan);
  for (std::span<const Run> rest(runs); !rest.empty();) {
    const size_t count = group_size(rest);
    lowering.add_group(rest.first(count));
    rest = rest.subspan(count);
  }
  return std::move(lowering).finish();
}

at::Tensor planned_attention(const AttentionTables& tables, const at::Tensor& q_THd,
                             const at::Tensor& k_TGd, const at::Tensor& v_TGd, double scale) {
  assert_shapes(tables.rows, q_THd, k_TGd, v_TGd);
  std::vector<int64_t> query_slots, key_slots;
  for (const auto& group : tables.groups) {
    query_slots.push_back(group.runs * group.queries);
    key_slots.push_back(group.runs * group.keys);
  }
  const auto q = gather_rows(q_THd, tables.queries).split_with_sizes(query_slots);
  const auto k = gather_rows(k_TGd, tables.keys).split_with_sizes(key_slots);
  const auto v = gather_rows(v_TGd, tables.keys).split_with_sizes(key_slots);
  std::vector<at::Tensor> outputs;
  for (size_t i = 0; i < tables.groups.size(); ++i) {
    outputs.push_back(group_attention(tables.groups[i], q[i], k[i], v[i], scale));
  }
  return gather_rows(at::cat(outputs), tables.outputs);
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
  const auto batched = [](const at::Tensor& x) { return x.transpose(0, 1).unsqueeze(0); };
  return at::scaled_dot_product_attention(batched(q_THd), batched(k_TGd), batched(v_TGd), mask, 0.0,
                                          /*is_causal=*/false, scale,
                                          q_THd.size(1) != k_TGd.size(1))
      .squeeze(0)
      .transpose(0, 1);
}

}  // namespace sightline
