#include "generate/device_steps.h"

#include "base/error.h"
#include "model/device_kernels.h"
#include "tensor/device.h"

#include <algorithm>
#include <bit>

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/log_softmax.h>

namespace sightline {
namespace {

int64_t power_of_two_from(int64_t count) {
  return static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(count)));
}

int64_t filled_up(int64_t sequences) {
  return sequences <= 8 ? power_of_two_from(sequences) : (sequences + 7) / 8 * 8;
}

// The cache of one layer, as the kernels take it.
template <class Number>
CudaCache<Number> cache_of(const KvLayer& layer, const LanguageConfig& config,
                           const at::Tensor& lengths_S, const at::Tensor& rows_SL) {
  return {.keys = static_cast<Number*>(layer.k_PGd.mutable_data_ptr()),
          .values = static_cast<Number*>(layer.v_PGd.mutable_data_ptr()),
          .rows = rows_SL.const_data_ptr<int32_t>(),
          .lengths = lengths_S.const_data_ptr<int32_t>(),
          .sequences = rows_SL.size(0),
          .room = rows_SL.size(1),
          .query_heads = config.num_attention_heads,
          .key_heads = config.num_key_value_heads,
          .d = config.head_dim};
}

template <class Number>
const Number* numbers_of(const at::Tensor& x) {
  return static_cast<const Number*>(x.const_data_ptr());
}

}  // namespace

std::unique_ptr<DeviceSteps> DeviceSteps::where_it_can(const Decoder& language,
                                                       const Matrices& matrices) {
  const AttentionNumbers numbers = language.attention_numbers();
  const CudaKernels* const kernels = device_kernels(numbers.device);
  const bool takes_numbers = numbers.dtype == at::kFloat || numbers.dtype == at::kBFloat16;
  if (kernels == nullptr || !takes_numbers || numbers.head_size > kMostCachedHead) return nullptr;
  return std::unique_ptr<DeviceSteps>(new DeviceSteps(language, matrices, *kernels));
}

KvCache DeviceSteps::cache(int64_t rows) {
  if (layers_.empty() || layers_.front().k_PGd.size(0) < rows) {
    const AttentionNumbers numbers = language_.attention_numbers();
    steps_.clear();
    layers_.clear();  // before larger ones are made
    layers_ = kv_layers(language_.config(), at::TensorOptions(numbers.dtype).device(numbers.device),
                        rows);
  }
  return KvCache(layers_);
}

DeviceSteps::Shape DeviceSteps::shape_of(const KvCache& cache) {
  int64_t longest = 0;
  for (int64_t s = 0; s < cache.sequences(); ++s) longest = std::max(longest, cache.length(s));
  return {filled_up(cache.sequences()), std::max(kCacheRoom, power_of_two_from(longest))};
}

void DeviceSteps::make_room(const Shape& shape, const KvCache& cache) {
  if (!layers_.front().k_PGd.is_same(cache.keys(0))) {
    steps_.clear();
    layers_ = cache.layers();
  }
  const auto on_device = at::TensorOptions(layers_.front().k_PGd.device());
  if (!integers_N_.defined() || integers_N_.size(0) < shape.integers()) {
    steps_.clear();
    integers_N_ = at::empty({shape.integers()}, on_device.dtype(at::kInt));
  }
  if (!log_probabilities_SV_.defined() || log_probabilities_SV_.size(0) < shape.sequences) {
    steps_.clear();
    log_probabilities_SV_ =
        at::empty({shape.sequences, language_.config().vocab_size}, on_device.dtype(at::kFloat));
  }
}

at::Tensor DeviceSteps::integers_of(const Shape& shape, std::span<const int32_t> tokens,
                                    const KvCache& cache) const {
  const at::Tensor all = at::empty({shape.integers()}, at::kInt);
  int32_t* const to_tokens = all.mutable_data_ptr<int32_t>();
  int32_t* const to_lengths = to_tokens + shape.sequences;
  int32_t* to_rows = to_lengths + shape.sequences;
  for (int64_t i = 0; i < shape.sequences; ++i, to_rows += shape.room) {
    const int64_t s = i < cache.sequences() ? i : 0;
    to_tokens[i] = tokens[static_cast<size_t>(s)];
    to_lengths[i] = static_cast<int32_t>(cache.length(s));
    const auto rows = cache.rows(s);
    std::fill(std::ranges::copy(rows, to_rows).out, to_rows + shape.room, 0);
  }
  return all;
}

void DeviceSteps::compute(const Shape& shape) const {
  const auto part = [&](int64_t first, int64_t count) {
    return integers_N_.narrow(0, first * shape.sequences, count * shape.sequences);
  };
  const at::Tensor lengths_S = part(1, 1);
  const at::Tensor rows_SL = part(2, shape.room).view({shape.sequences, shape.room});
  const LanguageConfig& config = language_.config();
  const at::Tensor hidden_SD = language_.forward(
      matrices_, language_.embed(part(0, 1).to(at::kLong)), lengths_S.to(at::kLong) - 1,
      [&](int64_t layer, const at::Tensor& q_SHd, const at::Tensor& k_SGd,
          const at::Tensor& v_SGd) {
        const at::Tensor q = q_SHd.contiguous(), k = k_SGd.contiguous(), v = v_SGd.contiguous();
        const at::Tensor out = at::empty_like(q);
        const at::Tensor parts =
            at::empty({cache_parts_size(shape.sequences, shape.room, q.size(1), q.size(2))},
                      q.options().dtype(at::kFloat));
        with_device_kernels(q, [&](const auto& kernels, auto number) {
          using Number = decltype(number);
          const auto cache =
              cache_of<Number>(layers_[static_cast<size_t>(layer)], config, lengths_S, rows_SL);
          kernels.store(cache, numbers_of<Number>(k), numbers_of<Number>(v));
          kernels.attend(
              cache, numbers_of<Number>(q), static_cast<float>(language_.attention_scale()),
              parts.mutable_data_ptr<float>(), static_cast<Number*>(out.mutable_data_ptr()));
        });
        return out;
      });
  const at::Tensor logits_SV = matrices_.logits(hidden_SD).to(at::kFloat);
  log_probabilities_SV_.narrow(0, 0, shape.sequences).copy_(at::log_softmax(logits_SV, 1));
}

at::Tensor DeviceSteps::step(std::span<const int32_t> tokens, KvCache& cache) {
  SL_ASSERT(std::ssize(tokens) == cache.sequences(), "{} tokens for {} sequences", tokens.size(),
            cache.sequences());
  cache.grow();
  const Shape shape = shape_of(cache);
  make_room(shape, cache);
  const c10::DeviceGuard guard(integers_N_.device());
  integers_N_.narrow(0, 0, shape.integers())
      .copy_(on_device(integers_of(shape, tokens, cache), integers_N_.device()));
  std::unique_ptr<RecordedWork>& step = steps_[shape];
  if (step == nullptr) {
    step = kernels_.record([&, shape] { compute(shape); });
    ++recorded_;
  } else {
    step->replay();
    ++replayed_;
  }
  return log_probabilities_SV_.narrow(0, 0, cache.sequences());
}

}  // namespace sightline
