#include "generate/kv_cache.h"

#include "base/error.h"

#include <algorithm>
#include <numeric>

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>

namespace sightline {

std::vector<KvLayer> kv_layers(const LanguageConfig& config, const at::TensorOptions& numbers,
                               int64_t room) {
  std::vector<KvLayer> layers;
  for (int64_t i = 0; i < config.num_hidden_layers; ++i) {
    const auto empty = [&] {
      return at::empty({room, config.num_key_value_heads, config.head_dim}, numbers);
    };
    layers.push_back({empty(), empty()});
  }
  return layers;
}

KvCache::KvCache(const LanguageConfig& config, const at::TensorOptions& numbers, int64_t room)
    : KvCache(kv_layers(config, numbers, room)) {}

void KvCache::make_room(int64_t rows) {
  const int64_t room = layers_.front().k_PGd.size(0);
  if (used_ + rows <= room) return;
  const int64_t wanted = std::max(used_ + rows, room * 3 / 2);
  for (KvLayer& layer : layers_) {
    for (at::Tensor* all : {&layer.k_PGd, &layer.v_PGd}) {
      const at::Tensor larger = at::empty({wanted, all->size(1), all->size(2)}, all->options());
      larger.narrow(0, 0, used_).copy_(all->narrow(0, 0, used_));
      *all = larger;
    }
  }
}

int64_t KvCache::add_sequences(std::span<const int64_t> lengths) {
  const int64_t first = used_;
  make_room(std::accumulate(lengths.begin(), lengths.end(), int64_t{0}));
  for (const int64_t length : lengths) {
    std::vector<int32_t>& rows = rows_.emplace_back(length);
    std::iota(rows.begin(), rows.end(), static_cast<int32_t>(used_));
    used_ += length;
  }
  return first;
}

void KvCache::reorder(std::span<const int64_t> parents) {
  std::vector<int64_t> children(rows_.size(), 0);
  for (const int64_t parent : parents) ++children.at(static_cast<size_t>(parent));
  std::vector<std::vector<int32_t>> chosen;
  for (const int64_t parent : parents) {
    auto& rows = rows_[static_cast<size_t>(parent)];
    const bool is_last = --children[static_cast<size_t>(parent)] == 0;
    chosen.push_back(is_last ? std::move(rows) : rows);
  }
  rows_ = std::move(chosen);
}

int64_t KvCache::grow() {
  const int64_t first = used_;
  make_room(sequences());
  for (std::vector<int32_t>& rows : rows_) rows.push_back(static_cast<int32_t>(used_++));
  return first;
}

void KvCache::write(int64_t layer, int64_t first, const at::Tensor& k_nGd,
                    const at::Tensor& v_nGd) {
  keys(layer).narrow(0, first, k_nGd.size(0)).copy_(k_nGd);
  values(layer).narrow(0, first, v_nGd.size(0)).copy_(v_nGd);
}

void KvCache::write_head(int64_t layer, int64_t head, int64_t row, const float* k_d,
                         const float* v_d) {
  const auto store = [&](const at::Tensor& all_PGd, const float* numbers) {
    const int64_t d = all_PGd.size(2), at = (row * all_PGd.size(1) + head) * d;
    void* const to = all_PGd.mutable_data_ptr();
    if (all_PGd.scalar_type() == at::kBFloat16) {
      row_kernels().front()->to_bf16(numbers, d, static_cast<uint16_t*>(to) + at);
    } else {
      SL_ASSERT(all_PGd.scalar_type() == at::kFloat, "rows of fp32 for another cache");
      std::copy(numbers, numbers + d, static_cast<float*>(to) + at);
    }
  };
  store(keys(layer), k_d);
  store(values(layer), v_d);
}

CachedHead KvCache::head(int64_t layer, int64_t head) const {
  const at::Tensor &k = keys(layer), &v = values(layer);
  const int64_t d = k.size(2);
  const bool is_bf16 = k.scalar_type() == at::kBFloat16;
  SL_ASSERT(is_bf16 || k.scalar_type() == at::kFloat, "row kernels read fp32 and bf16");
  const auto from = [&](const at::Tensor& all) {
    return static_cast<const char*>(all.const_data_ptr()) + head * d * all.element_size();
  };
  return {.format = is_bf16 ? WeightFormat::bf16 : WeightFormat::fp32,
          .keys = from(k),
          .values = from(v),
          .stride = k.size(1) * d};
}

}  // namespace sightline
