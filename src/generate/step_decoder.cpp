#include "generate/step_decoder.h"

#include "base/barrier.h"
#include "base/error.h"

#include <algorithm>
#include <cmath>
#include <omp.h>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

namespace sightline {
namespace {

// Below so many bytes of weights one thread is done before others have woken.
constexpr int64_t kWorthATeam = 4 << 20;

int64_t padded(int64_t size) { return weight_groups(size) * kWeightGroup; }

OutputRange share(int64_t count, int64_t thread, int64_t threads) {
  // Whole tiles of four, as the kernels take them.
  const int64_t tiles = (count + 3) / 4;
  return {std::min(count, tiles * thread / threads * 4),
          std::min(count, tiles * (thread + 1) / threads * 4)};
}

// Rows of numbers, each with zeros behind it up to a whole group.
class RowBuffer {
 public:
  RowBuffer(int64_t rows, int64_t size) : rows_(rows), stride_(padded(size)) {
    numbers_.resize(static_cast<size_t>(rows * stride_));
  }
  float* row(int64_t s) { return numbers_.data() + s * stride_; }
  RowsView view() const { return {numbers_.data(), rows_, stride_}; }
  int64_t stride() const { return stride_; }

 private:
  int64_t rows_, stride_;
  std::vector<float> numbers_;
};

// What one step works on. Shared by the threads but where it says otherwise.
struct Step {
  Step(const LanguageConfig& config, int64_t sequences, int64_t threads)
      : rows(sequences, config.hidden_size),
        q(sequences, config.num_attention_heads * config.head_dim),
        k(sequences, config.num_key_value_heads * config.head_dim),
        v(sequences, config.num_key_value_heads * config.head_dim),
        attended(sequences, config.num_attention_heads * config.head_dim),
        added(sequences, config.hidden_size),
        gate(sequences, config.intermediate_size),
        up(sequences, config.intermediate_size),
        cos(sequences, config.head_dim / 2),
        sin(sequences, config.head_dim / 2),
        normed(static_cast<size_t>(threads), RowBuffer(sequences, config.hidden_size)),
        scratch(static_cast<size_t>(threads)) {}

  RowBuffer rows, q, k, v, attended, added, gate, up, cos, sin;
  std::vector<RowBuffer> normed;            // a thread's own
  std::vector<std::vector<float>> scratch;  // likewise
  Barrier barrier;
};

// One thread's part of a step.
class Worker {
 public:
  Worker(const LanguageConfig& config, const StepWeights& weights, KvCache& cache,
         int64_t first_row, Step& step, int64_t thread, int64_t threads)
      : config_(config),
        weights_(weights),
        cache_(cache),
        first_row_(first_row),
        step_(step),
        normed_(step.normed[static_cast<size_t>(thread)]),
        scratch_(step.scratch[static_cast<size_t>(thread)]),
        thread_(thread),
        threads_(threads) {}

  void run(float* logits_SV) {
    for (size_t i = 0; i < weights_.layers.size(); ++i) {
      attention(weights_.layers[i], static_cast<int64_t>(i));
      mlp(weights_.layers[i]);
    }
    norm(weights_.last_norm);
    const WeightMatrix& head = weights_.head;
    kernels_.products(head, share(head.outputs, thread_, threads_), normed_.view(), logits_SV,
                      head.outputs);
  }

 private:
  int64_t sequences() const { return cache_.sequences(); }
  void meet() { step_.barrier.wait(threads_); }

  // Every thread norms all rows for itself: that is quicker than meeting.
  void norm(const std::vector<float>& weight) {
    for (int64_t s = 0; s < sequences(); ++s) {
      kernels_.rms_norm(step_.rows.row(s), weight.data(), config_.hidden_size,
                        static_cast<float>(config_.rms_norm_eps), normed_.row(s));
    }
  }

  // This thread's outputs of a product.
  OutputRange product(const WeightMatrix& matrix, const RowBuffer& x, RowBuffer& y) {
    const OutputRange range = share(matrix.outputs, thread_, threads_);
    kernels_.products(matrix, range, x.view(), y.row(0), y.stride());
    return range;
  }

  void product(const WeightMatrix& matrix, const std::vector<float>& bias, RowBuffer& y) {
    const OutputRange range = product(matrix, normed_, y);
    if (bias.empty()) return;
    for (int64_t s = 0; s < sequences(); ++s) {
      for (int64_t n = range.begin; n < range.end; ++n) y.row(s)[n] += bias[static_cast<size_t>(n)];
    }
  }

  void add_to_rows(const WeightMatrix& matrix, const RowBuffer& x) {
    const OutputRange range = product(matrix, x, step_.added);
    for (int64_t s = 0; s < sequences(); ++s) {
      for (int64_t n = range.begin; n < range.end; ++n)
        step_.rows.row(s)[n] += step_.added.row(s)[n];
    }
  }

  void attention(const StepWeights::Layer& layer, int64_t number) {
    norm(layer.attention_norm);
    product(layer.q, layer.q_bias, step_.q);
    product(layer.k, layer.k_bias, step_.k);
    product(layer.v, layer.v_bias, step_.v);
    meet();
    remember(number);
    meet();
    attend(number);
    meet();
    add_to_rows(layer.o, step_.attended);
    meet();
  }

  // Rotates the new keys and writes them and the values to the cache.
  void remember(int64_t layer) {
    const int64_t heads = config_.num_key_value_heads, d = config_.head_dim;
    for (int64_t i = thread_; i < sequences() * heads; i += threads_) {
      const int64_t s = i / heads, head = i % heads;
      float* const k = step_.k.row(s) + head * d;
      kernels_.rotate(k, step_.cos.row(s), step_.sin.row(s), d);
      cache_.write_head(layer, head, first_row_ + s, k, step_.v.row(s) + head * d);
    }
  }

  void attend(int64_t layer) {
    const int64_t heads = config_.num_attention_heads, d = config_.head_dim;
    const int64_t shared = heads / config_.num_key_value_heads;
    const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(d)));
    const OutputRange range{sequences() * heads * thread_ / threads_,
                            sequences() * heads * (thread_ + 1) / threads_};
    for (int64_t i = range.begin; i < range.end; ++i) {
      const int64_t s = i / heads, head = i % heads;
      float* const q = step_.q.row(s) + head * d;
      kernels_.rotate(q, step_.cos.row(s), step_.sin.row(s), d);
      const auto rows = cache_.rows(s);
      scratch_.resize(std::max(scratch_.size(), rows.size()));
      kernels_.attend(q, cache_.head(layer, head / shared), rows, d, scale, scratch_.data(),
                      step_.attended.row(s) + head * d);
    }
  }

  void mlp(const StepWeights::Layer& layer) {
    norm(layer.mlp_norm);
    const OutputRange range = product(layer.gate, normed_, step_.gate);
    product(layer.up, normed_, step_.up);
    for (int64_t s = 0; s < sequences(); ++s) {
      kernels_.swiglu(step_.gate.row(s) + range.begin, step_.up.row(s) + range.begin,
                      range.end - range.begin);
    }
    meet();
    add_to_rows(layer.down, step_.gate);
    meet();
  }

  const RowKernels& kernels_ = *row_kernels().front();
  const LanguageConfig& config_;
  const StepWeights& weights_;
  KvCache& cache_;
  int64_t first_row_;
  Step& step_;
  RowBuffer& normed_;
  std::vector<float>& scratch_;
  int64_t thread_, threads_;
};

void read_row(const WeightMatrix& embedding, int64_t token, float* to) {
  const int64_t size = embedding.inputs;
  if (embedding.format == WeightFormat::fp32) {
    const float* const from = static_cast<const float*>(embedding.values) + token * size;
    std::copy(from, from + size, to);
    return;
  }
  const auto* const from = static_cast<const at::BFloat16*>(embedding.values) + token * size;
  std::copy(from, from + size, to);
}

// As Rotary of the decoder takes them.
void angles(const LanguageConfig& config, int64_t position, float* cos, float* sin) {
  for (int64_t i = 0; i < config.head_dim / 2; ++i) {
    const float exponent = static_cast<float>(2 * i) / static_cast<float>(config.head_dim);
    const float angle =
        static_cast<float>(position) * std::pow(static_cast<float>(config.rope_theta), -exponent);
    cos[i] = std::cos(angle);
    sin[i] = std::sin(angle);
  }
}

}  // namespace

StepDecoder::StepDecoder(const LanguageConfig& config, const StepWeights& weights)
    : config_(config), weights_(weights), bytes_(weights.bytes()) {}

at::Tensor StepDecoder::step(std::span<const int32_t> tokens, KvCache& cache) const {
  const int64_t sequences = cache.sequences();
  SL_ASSERT(static_cast<int64_t>(tokens.size()) == sequences && sequences <= kMostRows,
            "{} tokens for {} sequences", tokens.size(), sequences);
  const int64_t threads = bytes_ < kWorthATeam ? 1 : at::get_num_threads();
  Step step(config_, sequences, threads);
  for (int64_t s = 0; s < sequences; ++s) {
    read_row(weights_.embedding, tokens[static_cast<size_t>(s)], step.rows.row(s));
    angles(config_, cache.length(s), step.cos.row(s), step.sin.row(s));
  }
  const int64_t first_row = cache.grow();
  const at::Tensor logits_SV = at::empty({sequences, weights_.head.outputs}, at::kFloat);
  float* const logits = logits_SV.mutable_data_ptr<float>();
#pragma omp parallel num_threads(threads)
  {
    Worker(config_, weights_, cache, first_row, step, omp_get_thread_num(), omp_get_num_threads())
        .run(logits);
  }
  return logits_SV;
}

}  // namespace sightline
