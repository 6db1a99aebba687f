#include "generate/cached_attention.h"

#include <algorithm>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/from_blob.h>
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

at::Tensor plain_cached_attention(const KvCache& cache, int64_t layer, const at::Tensor& q_SHd,
                                  double scale) {
  const at::ScalarType precise = q_SHd.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const at::Tensor out = at::empty_like(q_SHd);
  const int64_t groups = cache.keys(layer).size(1), d = q_SHd.size(2);
  for (int64_t s = 0; s < cache.sequences(); ++s) {
    const auto rows = cache.rows(s);
    const std::vector<int64_t> numbers(rows.begin(), rows.end());
    const at::Tensor chosen = at::from_blob(const_cast<int64_t*>(numbers.data()),
                                            {static_cast<int64_t>(numbers.size())}, at::kLong);
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
