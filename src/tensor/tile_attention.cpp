#include "tensor/tile_attention.h"

#include "base/error.h"
#include "kernels/matrix_kernels.h"
#include "kernels/row_kernels.h"

#include <algorithm>
#include <array>
#include <utility>

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>

namespace sightline {
namespace {

using Form = ProductOutput::Form;
using Order = MatrixOperand::Order;
using Piece = TileTables::Piece;
using Document = TileTables::Document;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Longer runs are cut, so that a block of scores stays in the caches and a causal run's early
// queries do not pay for its late keys.
constexpr int32_t kMostQueries = 256;

// --- a head's rows in memory ---

struct HeadRows {
  uint16_t* numbers = nullptr;
  int64_t stride = 0, size = 0;  // numbers to the next row, and in a row

  HeadRows from(int64_t row) const { return {numbers + row * stride, stride, size}; }
  MatrixOperand rows() const { return {numbers, stride, Order::k_last, size}; }
  MatrixOperand columns(int64_t count) const { return {numbers, stride, Order::k_first, count}; }
};

HeadRows head_rows(const at::Tensor& x_THd, int64_t head) {
  auto* const first = static_cast<uint16_t*>(const_cast<void*>(x_THd.const_data_ptr()));
  return {first + head * x_THd.stride(1), x_THd.stride(0), x_THd.size(2)};
}

// Whole heads side by side.
at::Tensor readable(const at::Tensor& x_THd) {
  return x_THd.stride(2) == 1 ? x_THd : x_THd.contiguous();
}

// A right operand in memory that is used again.
class Packed {
 public:
  void pack(const MatrixOperand& right, int64_t n) {
    n_ = n;
    pairs_.resize(static_cast<size_t>(packed_pairs(n, right)));
    matrix_kernels().front()->pack(right, n, pairs_.data());
  }

  void multiply(const MatrixOperand& left, int64_t m, const ProductOutput& y) const {
    matrix_kernels().front()->multiply(left, {0, m}, pairs_.data(), n_, y);
  }

 private:
  std::vector<uint32_t> pairs_;
  int64_t n_ = 0;
};

// --- a piece's keys ---

// Rows [begin, end), whose scores stand from `column` on. Columns are even, so that pairs do not
// reach over the gap.
struct Span {
  int64_t begin = 0, end = 0, column = 0;
  int64_t size() const { return end - begin; }
};

struct Columns {
  std::array<Span, 2> spans;  // trunk (may be empty), own
  int64_t size = 0;           // up to the last key
  int64_t stride = 0;         // of a row of scores: whole registers

  explicit Columns(const Piece& piece) {
    const Run& run = piece.run;
    spans[0] = {run.trunk_begin, run.trunk_end, 0};
    spans[1] = {run.own_begin, piece.own_end, (spans[0].size() + 1) / 2 * 2};
    size = spans[1].column + spans[1].size();
    stride = (size + 15) / 16 * 16;
  }
};

int64_t seen_by(const Piece& piece, const Columns& columns, int64_t query) {
  return piece.run.causal ? columns.size - piece.run.num_queries() + query + 1 : columns.size;
}

// --- one key head of one document ---

struct Heads {
  HeadRows keys, values, d_keys, d_values;
  std::vector<HeadRows> queries, outputs, d_outputs, d_queries;  // of the key head's query heads
  float scale = 1;
};

class HeadWork {
 public:
  void forward(const Document& document, const Heads& heads) {
    for (const Piece& piece : document.pieces) {
      const Columns columns(piece);
      take(columns, heads, [](SpanKeys& keys, const HeadRows& k, const HeadRows& v, int64_t count) {
        keys.by_number.pack(k.rows(), count);
        keys.values.pack(v.columns(count), v.size);
      });
      for (size_t head = 0; head < heads.queries.size(); ++head) {
        attend(piece, columns, heads.queries[head].from(piece.run.begin),
               heads.outputs[head].from(piece.run.begin), heads.scale);
      }
    }
    trunk_ = {};
  }

  // With P = softmax(S), S = scale q k^T, o = P v:  dv = P^T do;  dP = do v^T;
  // dS = P * (dP - rowsum(P * dP));  dq = scale dS k;  dk = scale dS^T q.
  void backward(const Document& document, const Heads& heads) {
    const auto numbers = static_cast<size_t>((document.end - document.begin) * heads.keys.size);
    d_keys_.assign(numbers, 0.0F);
    d_values_.assign(numbers, 0.0F);
    for (const Piece& piece : document.pieces) {
      const Columns columns(piece);
      take(columns, heads, [](SpanKeys& keys, const HeadRows& k, const HeadRows& v, int64_t count) {
        keys.by_number.pack(k.rows(), count);
        keys.values.pack(v.rows(), count);
        keys.by_row.pack(k.columns(count), k.size);
      });
      for (size_t head = 0; head < heads.queries.size(); ++head) {
        gradients_of(piece, columns, document, heads, head);
      }
    }
    trunk_ = {};
    const int64_t rows = document.end - document.begin;
    round(d_keys_.data(), rows, heads.d_keys.from(document.begin));
    round(d_values_.data(), rows, heads.d_values.from(document.begin));
  }

 private:
  // A span's keys as columns whose numbers are summed over, its values (forward as rows that are
  // summed over, backward as columns), and its keys as rows that are summed over.
  struct SpanKeys {
    Packed by_number, values, by_row;
  };

  // The trunk's stay from branch to branch.
  template <class PackSpan>
  void take(const Columns& columns, const Heads& heads, const PackSpan& pack) {
    for (size_t i = 0; i < 2; ++i) {
      const Span& span = columns.spans[i];
      const bool is_there = i == 0 && trunk_ == std::pair(span.begin, span.end);
      if (span.size() == 0 || is_there) continue;
      pack(keys_[i], heads.keys.from(span.begin), heads.values.from(span.begin), span.size());
      if (i == 0) trunk_ = {span.begin, span.end};
    }
  }

  template <class Number>
  static Number* grown(std::vector<Number>& numbers, int64_t size) {
    if (static_cast<int64_t>(numbers.size()) < size) numbers.resize(static_cast<size_t>(size));
    return numbers.data();
  }

  // [queries, keys] of `rows` with each span's operand; the gap between the spans is hidden.
  template <class OfSpan>
  void products(const Columns& columns, const MatrixOperand& rows, int64_t queries, float* to,
                const OfSpan& of_span) {
    for (size_t i = 0; i < 2; ++i) {
      const Span& span = columns.spans[i];
      if (span.size() == 0) continue;
      of_span(keys_[i]).multiply(
          rows, queries,
          {.form = Form::rows_fp32, .values = to + span.column, .stride = columns.stride});
    }
  }

  void hide_gap(const Columns& columns, int64_t queries, float* scores, float hidden) {
    const Span& trunk = columns.spans[0];
    if (trunk.size() % 2 == 0) return;
    for (int64_t q = 0; q < queries; ++q) scores[q * columns.stride + trunk.size()] = hidden;
  }

  // sum over a span's keys of weight x row, over both spans: to bf16.
  template <class OfSpan>
  void sum_over_keys(const Columns& columns, const uint16_t* weights, int64_t queries,
                     const HeadRows& to, const OfSpan& of_span) {
    const bool at_once = columns.spans[0].size() == 0;
    float* const sums = at_once ? nullptr : grown(sums_, queries * to.size);
    ProductOutput y{.form = Form::rows_fp32, .values = sums, .stride = to.size};
    if (at_once) y = {.form = Form::rows_bf16, .values = to.numbers, .stride = to.stride};
    for (size_t i = 0; i < 2; ++i) {
      const Span& span = columns.spans[i];
      if (span.size() == 0) continue;
      // Behind an odd last key stands a weight of 0.
      const int64_t even = (span.size() + 1) / 2 * 2;
      of_span(keys_[i]).multiply({weights + span.column, columns.stride, Order::k_last, even},
                                 queries, y);
      y.form = Form::added_fp32;
    }
    if (!at_once) round(sums, queries, to);
  }

  static void round(const float* sums, int64_t rows, const HeadRows& to) {
    const RowKernels& kernels = *row_kernels().front();
    for (int64_t row = 0; row < rows; ++row) {
      kernels.to_bf16(sums + row * to.size, to.size, to.from(row).numbers);
    }
  }

  void attend(const Piece& piece, const Columns& columns, const HeadRows& q, const HeadRows& out,
              float scale) {
    const int64_t queries = piece.run.num_queries();
    float* const scores = grown(scores_, queries * columns.stride);
    uint16_t* const weights = grown(weights_, queries * columns.stride);
    products(columns, q.rows(), queries, scores,
             [](const SpanKeys& keys) -> const Packed& { return keys.by_number; });
    hide_gap(columns, queries, scores, kHidden);
    for (int64_t i = 0; i < queries; ++i) {
      kernels_.softmax(scores + i * columns.stride, seen_by(piece, columns, i), columns.stride,
                       scale, weights + i * columns.stride);
    }
    sum_over_keys(columns, weights, queries, out,
                  [](const SpanKeys& keys) -> const Packed& { return keys.values; });
  }

  void gradients_of(const Piece& piece, const Columns& columns, const Document& document,
                    const Heads& heads, size_t head) {
    const int64_t queries = piece.run.num_queries(), begin = piece.run.begin;
    const HeadRows q = heads.queries[head].from(begin), d_out = heads.d_outputs[head].from(begin);
    const int64_t numbers = queries * columns.stride;
    float *const scores = grown(scores_, numbers), *const d_weights = grown(d_weights_, numbers);
    uint16_t *const weights = grown(weights_, numbers), *const d_scores = grown(d_scores_, numbers);
    products(columns, q.rows(), queries, scores,
             [](const SpanKeys& keys) -> const Packed& { return keys.by_number; });
    products(columns, d_out.rows(), queries, d_weights,
             [](const SpanKeys& keys) -> const Packed& { return keys.values; });
    hide_gap(columns, queries, scores, kHidden);
    hide_gap(columns, queries, d_weights, 0.0F);
    for (int64_t i = 0; i < queries; ++i) {
      const int64_t at = i * columns.stride;
      kernels_.softmax_backward(scores + at, d_weights + at, seen_by(piece, columns, i),
                                columns.stride, heads.scale, weights + at, d_scores + at);
    }
    sum_over_keys(columns, d_scores, queries, heads.d_queries[head].from(begin),
                  [](const SpanKeys& keys) -> const Packed& { return keys.by_row; });
    sum_over_queries(columns, weights, queries, d_out, document, d_values_);
    sum_over_queries(columns, d_scores, queries, q, document, d_keys_);
  }

  // sums of a key's row += sum over the queries of weight x row.
  void sum_over_queries(const Columns& columns, const uint16_t* weights, int64_t queries,
                        const HeadRows& rows, const Document& document, std::vector<float>& sums) {
    rows_.pack(rows.columns(queries), rows.size);
    for (const Span& span : columns.spans) {
      if (span.size() == 0) continue;
      rows_.multiply({weights + span.column, columns.stride, Order::k_first, queries}, span.size(),
                     {.form = Form::added_fp32,
                      .values = sums.data() + (span.begin - document.begin) * rows.size,
                      .stride = rows.size});
    }
  }

  static constexpr float kHidden = -3e38F;

  const MatrixKernels& kernels_ = *matrix_kernels().front();
  std::array<SpanKeys, 2> keys_;
  std::pair<int64_t, int64_t> trunk_;  // that keys_[0] is of
  Packed rows_;
  std::vector<float> scores_, d_weights_, sums_, d_keys_, d_values_;
  std::vector<uint16_t> weights_, d_scores_;
};

// --- all documents and heads ---

// Calls work(its own, document, key head) for all, a thread's one after the other.
template <class F>
void each_head(const TileTables& tables, int64_t key_heads, const F& work) {
  const auto tasks = static_cast<int64_t>(tables.documents.size()) * key_heads;
  at::parallel_for(0, tasks, 1, [&](int64_t begin, int64_t end) {
    HeadWork own;
    for (int64_t task = begin; task < end; ++task) {
      work(own, tables.documents[static_cast<size_t>(task / key_heads)], task % key_heads);
    }
  });
}

std::vector<HeadRows> query_heads(const at::Tensor& x_THd, int64_t key_head, int64_t key_heads) {
  const int64_t each = x_THd.size(1) / key_heads;
  std::vector<HeadRows> rows;
  for (int64_t i = 0; i < each; ++i) rows.push_back(head_rows(x_THd, key_head * each + i));
  return rows;
}

// The tables, held by an autograd graph.
struct TileTablesHolder : torch::CustomClassHolder {
  explicit TileTablesHolder(const TileTables& held) : tables(held) {}
  TileTables tables;
};

struct TileAttention : torch::autograd::Function<TileAttention> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& q, const at::Tensor& k,
                            const at::Tensor& v, const TileTables& tables, double scale) {
    const at::Tensor q_THd = readable(q), k_TGd = readable(k), v_TGd = readable(v);
    const at::Tensor out_THd = at::empty(q.sizes(), q.options());
    const int64_t key_heads = k.size(1);
    each_head(tables, key_heads, [&](HeadWork& work, const Document& document, int64_t g) {
      work.forward(document, {.keys = head_rows(k_TGd, g),
                              .values = head_rows(v_TGd, g),
                              .queries = query_heads(q_THd, g, key_heads),
                              .outputs = query_heads(out_THd, g, key_heads),
                              .scale = static_cast<float>(scale)});
    });
    context->save_for_backward({q_THd, k_TGd, v_TGd});
    context->saved_data["scale"] = scale;
    context->saved_data["tables"] =
        c10::IValue::make_capsule(c10::make_intrusive<TileTablesHolder>(tables));
    return out_THd;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &q_THd = saved[0], &k_TGd = saved[1], &v_TGd = saved[2];
    const at::Tensor d_out = readable(gradients[0]);
    const double scale = context->saved_data["scale"].toDouble();
    const auto holder = context->saved_data["tables"].toCapsule();
    const TileTables& tables = static_cast<const TileTablesHolder&>(*holder).tables;
    const int64_t key_heads = k_TGd.size(1);
    const at::Tensor d_q = at::empty(q_THd.sizes(), q_THd.options());
    const at::Tensor d_k = at::empty(k_TGd.sizes(), k_TGd.options());
    const at::Tensor d_v = at::empty(v_TGd.sizes(), v_TGd.options());
    each_head(tables, key_heads, [&](HeadWork& work, const Document& document, int64_t g) {
      work.backward(document, {.keys = head_rows(k_TGd, g),
                               .values = head_rows(v_TGd, g),
                               .d_keys = head_rows(d_k, g),
                               .d_values = head_rows(d_v, g),
                               .queries = query_heads(q_THd, g, key_heads),
                               .d_outputs = query_heads(d_out, g, key_heads),
                               .d_queries = query_heads(d_q, g, key_heads),
                               .scale = static_cast<float>(scale)});
    });
    return {d_q, d_k, d_v, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

bool takes_tiles(at::Device device, at::ScalarType dtype, int64_t head_size) {
  return device.is_cpu() && dtype == at::kBFloat16 && head_size % 2 == 0 &&
         preferred_matrix_kernels() != nullptr;
}

TileTables tile_tables(const AttentionPlan& plan) {
  TileTables tables;
  for (const Run& run : plan.runs) {
    const bool has_trunk = run.trunk_end > run.trunk_begin;
    const int32_t first_key = has_trunk ? run.trunk_begin : run.own_begin;
    if (first_key == run.begin) tables.documents.push_back({.begin = run.begin});
    Document& document = tables.documents.back();
    SL_ASSERT(first_key >= document.begin, "row {} sees row {} of another document", run.begin,
              first_key);
    for (int32_t begin = run.begin; begin < run.end; begin += kMostQueries) {
      Piece piece{run, run.end};
      piece.run.begin = begin;
      piece.run.end = std::min(begin + kMostQueries, run.end);
      if (run.causal) piece.own_end = piece.run.end;
      document.pieces.push_back(piece);
    }
    document.end = run.end;
  }
  return tables;
}

at::Tensor tile_attention(const TileTables& tables, const at::Tensor& q_THd,
                          const at::Tensor& k_TGd, const at::Tensor& v_TGd, double scale) {
  return TileAttention::apply(q_THd, k_TGd, v_TGd, tables, scale);
}

}  // namespace sightline
