#include "generate/attention_record.h"

#include "base/error.h"
#include "batch/compose.h"
#include "tensor/attention_weights.h"
#include "tensor/device.h"
#include "tensor/linear.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/log_softmax.h>

namespace sightline {
namespace {

// The answer's words stand behind the prompt as they do in training.
Batch with_answer(const Prompt& prompt, std::span<const int32_t> answer,
                  const ComposeOptions& options) {
  Sample sample{.where = prompt.where};
  sample.images.resize(prompt.pixels_ICHW.defined() ? prompt.pixels_ICHW.size(0) : 0);
  Rows rows = prompt.rows;
  rows.awaits_answer = false;
  for (const int32_t token : answer) {
    rows.tokens.push_back(token);
    rows.kinds.push_back(RowKind::assistant);
    rows.supervised.push_back(1);
  }
  sample.conversations.push_back(std::move(rows));
  const Sample* pointer = &sample;
  return compose({&pointer, 1}, options);
}

// Takes down the layers' attention as they come to it.
class Recorder {
 public:
  Recorder(const Batch& batch, int64_t prompt_rows, int64_t tokens, const Model& model)
      : layout_(batch.layout),
        device_(model.device()),
        tables_(lower_plan(batch.plan, model.language().attention_numbers())),
        looking_(static_cast<size_t>(tokens)),
        images_(batch.image_rows.begin(), batch.image_rows.end()),
        scale_(model.language().attention_scale()) {
    std::iota(looking_.begin(), looking_.end(), prompt_rows - 1);
    record.tokens = tokens;
    record.rows = static_cast<int64_t>(images_.size());
  }

  at::Tensor attend(const at::Tensor& q_THd, const at::Tensor& k_TGd, const at::Tensor& v_TGd) {
    const at::Tensor out_THd = planned_attention(tables_, q_THd, k_TGd, v_TGd, scale_);
    const at::Tensor weights_HQT = attention_weights(layout_, looking_, q_THd, k_TGd, scale_);
    const at::Tensor got_QHd = out_THd.index_select(0, looking()).to(at::kFloat);
    const double largest =
        (attended_values(weights_HQT, v_TGd) - got_QHd).abs().max().item<double>();
    SL_ASSERT(std::isfinite(largest), "attention that is no number, in layer {}", record.layers);
    record.difference =
        std::max(record.difference, largest / (got_QHd.abs().max().item<double>() + 1e-30));
    const at::Tensor mean_QR =
        weights_HQT.mean(0).index_select(1, indices(images_, device_)).cpu().contiguous();
    const float* values = mean_QR.const_data_ptr<float>();
    record.on_rows_LAR.insert(record.on_rows_LAR.end(), values, values + mean_QR.numel());
    ++record.layers;
    return out_THd;
  }

  at::Tensor looking() const { return indices(looking_, device_); }

  AttentionRecord record;

 private:
  const Layout& layout_;
  at::Device device_;
  AttentionTables tables_;
  std::vector<int64_t> looking_, images_;
  double scale_;
};

}  // namespace

AttentionRecord record_attention(const Model& model, MaskPolicy policy, const Prompt& prompt,
                                 std::span<const int32_t> answer) {
  const at::NoGradGuard no_grad;
  SL_ASSERT(!answer.empty(), "an answer of no tokens looks nowhere");
  const Decoder& language = model.language();
  const Batch batch = with_answer(prompt, answer, {policy, model.config().rows_per_image()});
  Recorder recorder(batch, static_cast<int64_t>(prompt.rows.tokens.size()),
                    static_cast<int64_t>(answer.size()), model);
  at::Tensor image_rows_IRD;
  if (prompt.pixels_ICHW.defined()) {
    image_rows_IRD = model.image_rows(prompt.pixels_ICHW.to(model.dtype()), kFromPixels);
  }
  const at::Tensor hidden_TD = language.forward(
      model.embed(batch, image_rows_IRD), indices(batch.layout.position_T, model.device()),
      [&](int64_t, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
        return recorder.attend(q, k, v);
      });
  const at::Tensor logits_AV =
      linear_layer(hidden_TD.index_select(0, recorder.looking()), language.head(), {});
  const at::Tensor log_probabilities_AV = at::log_softmax(logits_AV.to(at::kFloat), 1).cpu();
  for (size_t i = 0; i < answer.size(); ++i) {
    recorder.record.log_probabilities_A.push_back(
        log_probabilities_AV[static_cast<int64_t>(i)][answer[i]].item<float>());
  }
  return std::move(recorder.record);
}

}  // namespace sightline
