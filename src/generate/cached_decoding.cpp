#include "generate/cached_decoding.h"

#include "base/error.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

namespace sightline {
namespace {

std::vector<int64_t> document_lengths(const Layout& layout) {
  std::vector<int64_t> lengths;
  for (int64_t row = 0; row < layout.rows(); ++row) {
    SL_ASSERT(layout.branch_T[row] == kTrunk, "a prompt with branches, at row {}", row);
    const auto document = static_cast<size_t>(layout.document_T[row]);
    if (document == lengths.size()) lengths.push_back(0);
    ++lengths[document];
  }
  return lengths;
}

at::Tensor index_tensor(std::span<const int64_t> values) {
  return at::tensor(at::IntArrayRef(values.data(), values.size()), at::kLong);
}

// Additive [S, 1, 1, keys]: sequence s sees its first lengths[s] + 1 rows. Undefined where all see
// all.
at::Tensor length_mask(const std::vector<int64_t>& lengths, int64_t keys, at::ScalarType dtype) {
  if (std::all_of(lengths.begin(), lengths.end(), [&](int64_t n) { return n + 1 == keys; })) {
    return {};
  }
  const auto sequences = static_cast<int64_t>(lengths.size());
  at::Tensor mask = at::zeros({sequences, 1, 1, keys}, at::kFloat);
  float* values = mask.mutable_data_ptr<float>();
  for (int64_t s = 0; s < sequences; ++s) {
    std::fill(values + s * keys + lengths[s] + 1, values + (s + 1) * keys,
              -std::numeric_limits<float>::infinity());
  }
  // The kernels take an fp32 mask beside 16-bit queries, but no other mixture.
  return dtype == at::kDouble ? mask.to(at::kDouble) : mask;
}

}  // namespace

CachedDecoding::CachedDecoding(const Model& model, const Matrices& matrices, const Batch& prompts,
                               const at::Tensor& image_rows_IRD, int64_t room)
    : model_(model), matrices_(matrices), lengths_(document_lengths(prompts.layout)) {
  const at::NoGradGuard no_grad;
  SL_ASSERT(!lengths_.empty(), "no prompt");
  const Decoder& language = model.language();
  const LanguageConfig& config = language.config();
  capacity_ = *std::max_element(lengths_.begin(), lengths_.end()) + room;
  const at::Tensor empty_SLGd =
      at::zeros({size(), capacity_, config.num_key_value_heads, config.head_dim}, model.dtype());
  for (int64_t i = 0; i < config.num_hidden_layers; ++i) {
    layers_.push_back({empty_SLGd.clone(), empty_SLGd.clone()});
  }

  std::vector<int64_t> positions(prompts.layout.position_T.begin(),
                                 prompts.layout.position_T.end());
  std::vector<int64_t> slots;
  for (int64_t row = 0; row < prompts.rows(); ++row) {
    slots.push_back(prompts.layout.document_T[row] * capacity_ + positions[row]);
  }
  const at::Tensor slots_T = index_tensor(slots);
  const AttentionTables tables = lower_plan(prompts.plan);
  const at::Tensor hidden_TD = language.forward(
      matrices, model.embed(prompts, image_rows_IRD), index_tensor(positions),
      [&](int64_t layer, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
        layers_[layer].k_SLGd.flatten(0, 1).index_copy_(0, slots_T, k);
        layers_[layer].v_SLGd.flatten(0, 1).index_copy_(0, slots_T, v);
        return planned_attention(tables, q, k, v, language.attention_scale());
      });

  std::vector<int64_t> last_rows(lengths_.size());
  std::partial_sum(lengths_.begin(), lengths_.end(), last_rows.begin());
  for (int64_t& row : last_rows) --row;
  predict(hidden_TD.index_select(0, index_tensor(last_rows)));
}

void CachedDecoding::advance(std::span<const int64_t> parents, std::span<const int32_t> tokens) {
  const at::NoGradGuard no_grad;
  SL_ASSERT(!parents.empty() && parents.size() == tokens.size(), "{} parents, {} tokens",
            parents.size(), tokens.size());
  keep_only(parents);
  const int64_t keys = *std::max_element(lengths_.begin(), lengths_.end()) + 1;
  SL_ASSERT(keys <= capacity_, "{} rows in a cache of {}", keys, capacity_);

  std::vector<int64_t> slots;
  for (int64_t s = 0; s < size(); ++s) slots.push_back(s * capacity_ + lengths_[s]);
  const at::Tensor slots_S = index_tensor(slots);
  const at::Tensor mask = length_mask(lengths_, keys, model_.dtype());
  const Decoder& language = model_.language();
  const std::vector<int64_t> ids(tokens.begin(), tokens.end());
  const at::Tensor hidden_SD = language.forward(
      matrices_, language.embed(index_tensor(ids)), index_tensor(lengths_),
      [&](int64_t layer, const at::Tensor& q_SHd, const at::Tensor& k_SGd,
          const at::Tensor& v_SGd) {
        const LayerCache& cache = layers_[layer];
        cache.k_SLGd.flatten(0, 1).index_copy_(0, slots_S, k_SGd);
        cache.v_SLGd.flatten(0, 1).index_copy_(0, slots_S, v_SGd);
        const auto seen = [&](const at::Tensor& x_SLGd) {
          return x_SLGd.slice(1, 0, keys).transpose(1, 2);
        };
        const std::optional<at::Tensor> bias =
            mask.defined() ? std::optional<at::Tensor>(mask) : std::nullopt;
        return at::scaled_dot_product_attention(
                   q_SHd.unsqueeze(2), seen(cache.k_SLGd), seen(cache.v_SLGd), bias,
                   /*dropout_p=*/0.0, /*is_causal=*/false, language.attention_scale(),
                   /*enable_gqa=*/q_SHd.size(1) != k_SGd.size(1))
            .squeeze(2);
      });
  for (int64_t& length : lengths_) ++length;
  predict(hidden_SD);
}

void CachedDecoding::keep_only(std::span<const int64_t> parents) {
  std::vector<int64_t> same(lengths_.size());
  std::iota(same.begin(), same.end(), 0);
  if (std::equal(parents.begin(), parents.end(), same.begin(), same.end())) return;
  const at::Tensor chosen = index_tensor(parents);
  for (LayerCache& cache : layers_) {
    cache.k_SLGd = cache.k_SLGd.index_select(0, chosen);
    cache.v_SLGd = cache.v_SLGd.index_select(0, chosen);
  }
  std::vector<int64_t> lengths;
  for (const int64_t parent : parents) lengths.push_back(lengths_.at(parent));
  lengths_ = std::move(lengths);
}

void CachedDecoding::predict(const at::Tensor& hidden_SD) {
  const at::Tensor logits_SV = matrices_.logits(hidden_SD);
  const at::ScalarType precise = model_.dtype() == at::kDouble ? at::kDouble : at::kFloat;
  log_probabilities_SV_ = at::log_softmax(logits_SV.to(precise), 1).to(at::kFloat).contiguous();
}

}  // namespace sightline
