// Attention over packed captions, forward and backward: the plan against LibTorch's
// scaled_dot_product_attention with the dense mask (the definition), and against the matrix
// products that the plan cannot do without, over the same runs, as the machine's own limit.
//
// Legend: T packed rows, H query heads, G key/value heads, d head size.

#include "tensor/attention.h"

#include "batch/attention_plan.h"
#include "bench/ratio.h"

#include <cmath>

#include <ATen/TensorOperators.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/randn.h>

namespace sightline {
namespace {

constexpr int64_t kHeads = 4, kKeyHeads = 2, kHeadSize = 64;

// Pictures of 49 rows that see each other, each with five captions of 11 to 15 rows as branches.
Layout captioned_pictures(int pictures) {
  Layout layout;
  const auto add = [&](int32_t document, int32_t branch, int32_t block, int32_t position) {
    layout.document_T.push_back(document);
    layout.branch_T.push_back(branch);
    layout.block_T.push_back(block);
    layout.position_T.push_back(position);
  };
  for (int32_t picture = 0; picture < pictures; ++picture) {
    for (int32_t row = 0; row < 49; ++row) add(picture, kTrunk, picture, row);
    add(picture, kTrunk, kNoBlock, 49);
    for (int32_t caption = 0; caption < 5; ++caption) {
      for (int32_t row = 0; row < 11 + caption; ++row) add(picture, caption, kNoBlock, 50 + row);
    }
  }
  return layout;
}

struct Tensors {
  at::Tensor q_THd, k_TGd, v_TGd, weight_THd;

  Tensors(int64_t rows, at::ScalarType dtype) {
    const auto make = [&](int64_t heads) {
      return at::randn({rows, heads, kHeadSize}).to(dtype).requires_grad_(true);
    };
    q_THd = make(kHeads);
    k_TGd = make(kKeyHeads);
    v_TGd = make(kKeyHeads);
    weight_THd = at::randn({rows, kHeads, kHeadSize}).to(dtype);
  }
  void backward(const at::Tensor& out_THd) const { (out_THd * weight_THd).sum().backward(); }
};

// The seven products of forward and backward over each group of runs, on buffers that are there.
class Products {
 public:
  Products(const AttentionTables& tables, at::ScalarType dtype) {
    for (const auto& group : tables.lowered->groups) {
      const int64_t batch = group.runs * kKeyHeads, queries = kHeads / kKeyHeads * group.queries;
      buffers_.push_back({at::randn({batch, queries, kHeadSize}).to(dtype),
                          at::randn({batch, group.keys, kHeadSize}).to(dtype),
                          at::randn({batch, queries, group.keys}).to(dtype)});
    }
  }
  void run() const {
    for (const auto& [rows, keys, scores] : buffers_) {
      for (int i = 0; i < 2; ++i) at::bmm(rows, keys.transpose(1, 2));    // S, dP
      for (int i = 0; i < 2; ++i) at::bmm(scores, keys);                  // O, dQ
      for (int i = 0; i < 2; ++i) at::bmm(scores.transpose(1, 2), rows);  // dV, dK
    }
  }

 private:
  struct Buffers {
    at::Tensor rows, keys, scores;
  };
  std::vector<Buffers> buffers_;
};

void measure(int pictures, at::ScalarType dtype, const std::string& name) {
  const Layout layout = captioned_pictures(pictures);
  const AttentionTables tables = lower_plan(make_plan(layout));
  const Tensors x(layout.rows(), dtype);
  const double scale = 1.0 / std::sqrt(static_cast<double>(kHeadSize));
  const bench::Timed plan{
      "plan", [&] { x.backward(planned_attention(tables, x.q_THd, x.k_TGd, x.v_TGd, scale)); }};
  const bench::Timed dense{
      "dense", [&] { x.backward(dense_attention(layout, x.q_THd, x.k_TGd, x.v_TGd, scale)); }};
  const Products products(tables, dtype);
  const std::string what = name + ", " + std::to_string(layout.rows()) + " rows";
  bench::compare("attention, " + what, plan, dense, 15);
  bench::compare("  of it products alone, " + what, plan, {"products", [&] { products.run(); }},
                 15);
}

}  // namespace
}  // namespace sightline

int main() {
  for (const int pictures : {8, 32}) {
    sightline::measure(pictures, at::kFloat, "fp32");
    sightline::measure(pictures, at::kBFloat16, "bf16");
  }
}
