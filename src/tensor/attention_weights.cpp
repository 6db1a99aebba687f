#include "tensor/attention_weights.h"

#include "base/error.h"
#include "tensor/device.h"

#include <limits>

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/repeat_interleave.h>
#include <ATen/ops/softmax.h>

namespace sightline {

namespace {

// 0 where row looking[i] sees row k, else minus infinity: [Q, T].
at::Tensor mask_of(const Layout& layout, std::span<const int64_t> looking) {
  at::Tensor mask_QT = at::empty({static_cast<int64_t>(looking.size()), layout.rows()}, at::kFloat);
  float* entry = mask_QT.mutable_data_ptr<float>();
  for (const int64_t q : looking) {
    for (int64_t k = 0; k < layout.rows(); ++k) {
      *entry++ = allowed(layout, q, k) ? 0.0f : -std::numeric_limits<float>::infinity();
    }
  }
  return mask_QT;
}

// [T, G, d] -> fp32 [H, T, d], a key head for each query head.
at::Tensor for_query_heads(const at::Tensor& x_TGd, int64_t heads) {
  const at::Tensor x_GTd = x_TGd.to(at::kFloat).transpose(0, 1);
  return at::repeat_interleave(x_GTd, heads / x_TGd.size(1), 0);
}

}  // namespace

at::Tensor attention_weights(const Layout& layout, std::span<const int64_t> looking,
                             const at::Tensor& q_THd, const at::Tensor& k_TGd, double scale) {
  SL_ASSERT(q_THd.size(0) == layout.rows() && k_TGd.size(0) == layout.rows(),
            "{} queries and {} keys for {} rows", q_THd.size(0), k_TGd.size(0), layout.rows());
  const at::Tensor rows = indices(looking, q_THd.device());
  const at::Tensor q_HQd = q_THd.index_select(0, rows).to(at::kFloat).transpose(0, 1);
  const at::Tensor k_HTd = for_query_heads(k_TGd, q_THd.size(1));
  const at::Tensor scores_HQT = at::matmul(q_HQd, k_HTd.transpose(1, 2)) * scale;
  return at::softmax(scores_HQT + on_device(mask_of(layout, looking), q_THd.device()), -1);
}

at::Tensor attended_values(const at::Tensor& weights_HQT, const at::Tensor& v_TGd) {
  return at::matmul(weights_HQT, for_query_heads(v_TGd, weights_HQT.size(0))).transpose(0, 1);
}

}  // namespace sightline
