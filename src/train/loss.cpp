#include "train/loss.h"

#include "base/error.h"
#include "tensor/device.h"
#include "tensor/linear.h"
#include "tensor/sum_type.h"

#include <algorithm>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

namespace sightline {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

// Logits held at a time, at most: 256 MiB of them in fp32.
constexpr int64_t kMostLogits = int64_t{1} << 26;

struct AnswerLoss : torch::autograd::Function<AnswerLoss> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& hidden_TD,
                            const at::Tensor& head_VD, const at::Tensor& rows_S,
                            const at::Tensor& targets_S, double divisor, int64_t chunk) {
    const bool wants_head = head_VD.requires_grad();
    const auto sums = sum_type(hidden_TD.scalar_type());
    const at::Tensor hidden_SD = hidden_TD.index_select(0, rows_S);
    at::Tensor hidden_grad_SD = at::empty_like(hidden_SD);
    at::Tensor head_grad_VD =
        wants_head ? at::zeros(head_VD.sizes(), head_VD.options().dtype(sums)) : at::Tensor();
    at::Tensor total = at::zeros({}, hidden_TD.options().dtype(sums));
    for (int64_t begin = 0; begin < hidden_SD.size(0); begin += chunk) {
      const int64_t end = std::min(begin + chunk, hidden_SD.size(0));
      const at::Tensor hidden_cD = hidden_SD.slice(0, begin, end);
      const at::Tensor target_c1 = targets_S.slice(0, begin, end).unsqueeze(1);
      at::Tensor logits_cV = linear_layer(hidden_cD, head_VD, {}).to(sums);
      const at::Tensor norm_c1 = logits_cV.logsumexp(at::IntArrayRef{1}, true);
      total += (norm_c1 - logits_cV.gather(1, target_c1)).sum();
      // d loss / d logits = softmax - onehot, over the divisor; made in place.
      at::Tensor grad_cV = logits_cV.sub_(norm_c1).exp_();
      grad_cV.scatter_(1, target_c1, grad_cV.gather(1, target_c1).sub_(1.0));
      grad_cV.div_(divisor);
      const at::Tensor grad_low_cV = grad_cV.to(hidden_TD.scalar_type());
      hidden_grad_SD.slice(0, begin, end).copy_(input_gradient(grad_low_cV, head_VD));
      if (wants_head) add_weight_gradient(grad_low_cV, hidden_cD, head_grad_VD);
    }
    context->save_for_backward({hidden_grad_SD, head_grad_VD, rows_S});
    context->saved_data["rows"] = hidden_TD.size(0);
    return total / divisor;
  }

  static variable_list backward(AutogradContext* context, const variable_list& outputs) {
    const auto saved = context->get_saved_variables();
    const at::Tensor& scale = outputs[0];
    const at::Tensor& hidden_grad_SD = saved[0];
    at::Tensor hidden_grad_TD = at::zeros(
        {context->saved_data["rows"].toInt(), hidden_grad_SD.size(1)}, hidden_grad_SD.options());
    hidden_grad_TD.index_add_(0, saved[2], hidden_grad_SD * scale.to(hidden_grad_SD.scalar_type()));
    at::Tensor head_grad_VD;
    if (saved[1].defined()) head_grad_VD = (saved[1] * scale).to(hidden_grad_SD.scalar_type());
    return {hidden_grad_TD, head_grad_VD, Variable(), Variable(), Variable(), Variable()};
  }
};

}  // namespace

int64_t loss_chunk(int64_t vocabulary, const LossOptions& options) {
  return std::clamp<int64_t>(kMostLogits / vocabulary, 1, std::max<int64_t>(1, options.chunk));
}

at::Tensor answer_loss(const at::Tensor& hidden_TD, const at::Tensor& head_VD,
                       std::span<const int32_t> rows_S, std::span<const int32_t> targets_S,
                       const LossOptions& options) {
  SL_ASSERT(rows_S.size() == targets_S.size(), "{} rows, {} targets", rows_S.size(),
            targets_S.size());
  return AnswerLoss::apply(hidden_TD, head_VD, indices(rows_S, hidden_TD.device()),
                           indices(targets_S, hidden_TD.device()), options.divisor,
                           loss_chunk(head_VD.size(0), options));
}

at::Tensor plain_answer_loss(const at::Tensor& hidden_TD, const at::Tensor& head_VD,
                             std::span<const int32_t> rows_S, std::span<const int32_t> targets_S,
                             double divisor) {
  const at::Tensor rows = indices(rows_S, hidden_TD.device());
  const at::Tensor logits_SV = at::linear(hidden_TD.index_select(0, rows), head_VD);
  return at::cross_entropy_loss(logits_SV.to(sum_type(hidden_TD.scalar_type())),
                                indices(targets_S, hidden_TD.device()), {}, at::Reduction::Sum) /
         divisor;
}

}  // namespace sightline
