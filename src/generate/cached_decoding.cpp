#include "generate/cached_decoding.h"

#include "base/error.h"
#include "generate/cached_attention.h"
#include "tensor/device.h"

#include <numeric>
#include <optional>
#include <vector>

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/log_softmax.h>

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

}  // namespace

CachedDecoding::CachedDecoding(const DecodingModel& model, int64_t room)
    : model_(model),
      device_(model.model().device()),
      device_steps_(model.lend_device_steps()),
      cache_(device_steps_
                 ? device_steps_->cache(room)
                 : KvCache(model.model().language().config(),
                           at::TensorOptions(model.model().dtype()).device(device_), room)) {}

void CachedDecoding::add(const Batch& prompts, const at::Tensor& image_rows_IRD) {
  const at::NoGradGuard no_grad;
  const std::vector<int64_t> lengths = document_lengths(prompts.layout);
  SL_ASSERT(!lengths.empty(), "no prompt");
  const Decoder& language = model_.model().language();
  const int64_t first_row = cache_.add_sequences(lengths);
  const AttentionTables tables = lower_plan(prompts.plan, language.attention_numbers());
  const Matrices& matrices = model_.prompt_matrices();
  const at::Tensor hidden_TD = language.forward(
      matrices, model_.model().embed(prompts, image_rows_IRD),
      indices(prompts.layout.position_T, device_),
      [&](int64_t layer, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
        cache_.write(layer, first_row, k, v);
        return planned_attention(tables, q, k, v, language.attention_scale());
      });

  std::vector<int64_t> last_rows(lengths.size());
  std::partial_sum(lengths.begin(), lengths.end(), last_rows.begin());
  for (int64_t& row : last_rows) --row;
  const at::Tensor new_SV =
      log_probabilities_of(matrices.logits(hidden_TD.index_select(0, indices(last_rows, device_))));
  log_probabilities_SV_ =
      log_probabilities_SV_.defined() ? at::cat({log_probabilities_SV_, new_SV}) : new_SV;
}

void CachedDecoding::advance(std::span<const int64_t> parents, std::span<const int32_t> tokens) {
  const at::NoGradGuard no_grad;
  SL_ASSERT(!parents.empty() && parents.size() == tokens.size(), "{} parents, {} tokens",
            parents.size(), tokens.size());
  cache_.reorder(parents);
  if (device_steps_) {
    log_probabilities_SV_ = device_steps_->step(tokens, cache_).cpu();
    return;
  }
  const StepDecoder* const steps = size() <= StepDecoder::kMostRows ? model_.steps() : nullptr;
  log_probabilities_SV_ = log_probabilities_of(
      steps ? steps->step(tokens, cache_) : model_.matrices().logits(advanced_SD(tokens)));
}

at::Tensor CachedDecoding::advanced_SD(std::span<const int32_t> tokens) {
  const Decoder& language = model_.model().language();
  std::vector<int64_t> positions;
  for (int64_t s = 0; s < size(); ++s) positions.push_back(cache_.length(s));
  const int64_t first_row = cache_.grow();
  const std::optional<CachedRows> rows =
      device_.is_cpu() ? std::nullopt : std::optional(cached_rows(cache_, device_));
  return language.forward(
      model_.matrices(), language.embed(indices(tokens, device_)), indices(positions, device_),
      [&](int64_t layer, const at::Tensor& q_SHd, const at::Tensor& k_SGd,
          const at::Tensor& v_SGd) {
        cache_.write(layer, first_row, k_SGd, v_SGd);
        const double scale = language.attention_scale();
        return rows ? padded_cached_attention(cache_, *rows, layer, q_SHd, scale)
                    : cached_attention(cache_, layer, q_SHd, scale);
      });
}

at::Tensor CachedDecoding::log_probabilities_of(const at::Tensor& logits_SV) const {
  const bool is_double = model_.model().dtype() == at::kDouble;
  const at::ScalarType precise = is_double ? at::kDouble : at::kFloat;
  return at::log_softmax(logits_SV.to(precise), 1).to(at::kFloat).cpu().contiguous();
}

}  // namespace sightline
