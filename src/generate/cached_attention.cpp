#include "generate/cached_attention.h"

#include "tensor/device.h"
#include "tensor/sum_type.h"

#include <algorithm>
#include <limits>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>

namespace sightline {

at::Tensor cached_attention(const KvCache& cache, int64_t layer, const at::Tensor& q_SHd,
                            double scale) {
  const at::ScalarType dtype = q_SHd.scalar_type();
  if (dtype != at::kFloat && dtype != at::kBFloat16) {
    return plain_cached_attention(cache, layer, q_SHd, scale);
  }
  const RowKernels& kernels = *row_kernels().front();
  const int64_t heads = q_SHd.size(1), d = q_SHd.size(2);
  const int64_t shared = heads / cache.keys(layer).size(1);  // query heads of a key's head
  const at::Tensor q = q_SHd.to(at::kFloat).contiguous();
  const at::Tensor out = at::empty_like(q);
  const float* from = q.const_data_ptr<float>();
  float* to = out.mutable_data_ptr<float>();
  at::parallel_for(0, q.size(0) * heads, 1, [&](int64_t begin, int64_t end) {
    std::vector<float> scratch;
    for (int64_t i = begin; i < end; ++i) {
      const auto rows = cache.rows(i / heads);
      scratch.resize(std::max(scratch.size(), rows.size()));
      kernels.attend(from + i * d, cache.head(layer, i % heads / shared), rows, d,
                     static_cast<float>(scale), scratch.data(), to + i * d);
    }
  });
  return out.to(dtype);
}

CachedRows cached_rows(const KvCache& cache, at::Device device) {
  int64_t longest = 0;
  for (int64_t s = 0; s < cache.sequences(); ++s) longest = std::max(longest, cache.length(s));
  std::vector<int64_t> rows, lengths;
  for (int64_t s = 0; s < cache.sequences(); ++s) {
    const auto own = cache.rows(s);
    rows.insert(rows.end(), own.begin(), own.end());
    rows.resize(rows.size() + static_cast<size_t>(longest - cache.length(s)), 0);
    lengths.push_back(cache.length(s));
  }
  const at::Tensor rows_SL = indices(rows, device).view({cache.sequences(), longest});
  const at::Tensor place_L = at::arange(longest, rows_SL.options());
  return {rows_SL, place_L.unsqueeze(0) >= indices(lengths, device).unsqueeze(1)};
}

at::Tensor padded_cached_attention(const KvCache& cache, const CachedRows& rows, int64_t layer,
                                   const at::Tensor& q_SHd, double scale) {
  const at::ScalarType precise = sum_type(q_SHd.scalar_type());
  const int64_t sequences = q_SHd.size(0), groups = cache.keys(layer).size(1), d = q_SHd.size(2);
  const at::Tensor rows_N = rows.rows_SL.flatten();
  const auto of_heads = [&](const at::Tensor& all_PGd) {  // [S, G, L, d]
    const at::Tensor chosen = all_PGd.index_select(0, rows_N).to(precise);
    return chosen.view({sequences, -1, groups, d}).transpose(1, 2);
  };
  const at::Tensor q = q_SHd.to(precise).reshape({sequences, groups, -1, d}) * scale;
  const at::Tensor scores = at::matmul(q, of_heads(cache.keys(layer)).transpose(2, 3));
  const at::Tensor hidden = rows.hidden_SL.view({sequences, 1, 1, -1});
  const at::Tensor weights =
      at::softmax(scores.masked_fill(hidden, -std::numeric_limits<double>::infinity()), -1);
  return at::matmul(weights, of_heads(cache.values(layer)))
      .reshape({sequences, -1, d})
      .to(q_SHd.scalar_type());
}

at::Tensor plain_cached_attention(const KvCache& cache, int64_t layer, const at::Tensor& q_SHd,
                                  double scale) {
  const at::ScalarType precise = sum_type(q_SHd.scalar_type());
  const at::Tensor out = at::empty_like(q_SHd);
  const int64_t groups = cache.keys(layer).size(1), d = q_SHd.size(2);
  for (int64_t s = 0; s < cache.sequences(); ++s) {
    const at::Tensor chosen = indices(cache.rows(s), q_SHd.device());
    const auto of_heads = [&](const at::Tensor& all) {  // [G, rows, d]
      return all.index_select(0, chosen).to(precise).transpose(0, 1);
    };
    const at::Tensor q = q_SHd[s].to(precise).view({groups, -1, d}) * scale;
    const at::Tensor weights =
        at::softmax(at::matmul(q, of_heads(cache.keys(layer)).transpose(1, 2)), -1);
    out[s].copy_(at::matmul(weights, of_heads(cache.values(layer))).view({-1, d}));
  }
  return out;
}

}  // namespace sightline
