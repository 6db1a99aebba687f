#include "train/gradient_sums.h"

#include "base/error.h"
#include "kernels/array_kernels.h"

#include <memory>
#include <utility>

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

namespace sightline {

namespace {

constexpr int64_t kGrain = 1 << 16;  // numbers worth a thread

bool has_kernels(const at::Tensor& x, const at::Tensor& sum) {
  return x.is_cpu() && x.is_contiguous() && sum.scalar_type() == at::kFloat &&
         (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
}

// By widen or accumulate, which have one form.
template <class Number>
void each_piece(void (*kernel)(const Number*, int64_t, float*), const at::Tensor& x,
                const at::Tensor& sum) {
  const auto* const from = static_cast<const Number*>(x.const_data_ptr());
  float* const to = sum.mutable_data_ptr<float>();
  at::parallel_for(0, x.numel(), kGrain, [&](int64_t begin, int64_t end) {
    kernel(from + begin, end - begin, to + begin);
  });
}

void write(const at::Tensor& x, const at::Tensor& sum) {
  const ArrayKernelSet& kernels = *array_kernels().front();
  if (!has_kernels(x, sum)) {
    sum.copy_(x);
  } else if (x.scalar_type() == at::kFloat) {
    each_piece(kernels.fp32.widen, x, sum);
  } else {
    each_piece(kernels.bf16.widen, x, sum);
  }
}

void add_to(const at::Tensor& sum, const at::Tensor& x) {
  const ArrayKernelSet& kernels = *array_kernels().front();
  if (!has_kernels(x, sum)) {
    sum.add_(x);
  } else if (x.scalar_type() == at::kFloat) {
    each_piece(kernels.fp32.accumulate, x, sum);
  } else {
    each_piece(kernels.bf16.accumulate, x, sum);
  }
}

}  // namespace

// Called when a backward pass has left a weight's gradient in .grad.
class GradientSums::Hook : public torch::autograd::PostAccumulateGradHook {
 public:
  Hook(GradientSums& sums, size_t number) : sums_(sums), number_(number) {}

  void operator()(const at::Tensor& weight) override {
    sums_.add(number_, weight.grad());
    weight.mutable_grad() = at::Tensor();
    if (sums_.arrived) sums_.arrived(number_);
  }

 private:
  GradientSums& sums_;
  size_t number_;
};

GradientSums::GradientSums(std::vector<at::Tensor> weights)
    : weights_(std::move(weights)),
      sums_(weights_.size()),
      only_(weights_.size()),
      is_begun_(weights_.size(), 0) {
  for (size_t i = 0; i < weights_.size(); ++i) {
    torch::autograd::impl::set_post_acc_grad_hooks(weights_[i], std::make_unique<Hook>(*this, i));
  }
}

GradientSums::~GradientSums() {
  for (const at::Tensor& weight : weights_) {
    torch::autograd::impl::set_post_acc_grad_hooks(weight, nullptr);
  }
}

const GradientBuckets& GradientSums::lay_out(const MakeBuckets& make) {
  if (laid_.buckets.empty()) {
    laid_ = lay_out_gradients(weights_, make);
    sums_ = laid_.gradients;
  }
  return laid_;
}

void GradientSums::begin() {
  for (const at::Tensor& weight : weights_) weight.mutable_grad() = at::Tensor();
  only_.assign(weights_.size(), at::Tensor());
  is_begun_.assign(weights_.size(), 0);
}

void GradientSums::add(size_t weight, const at::Tensor& gradient) {
  const c10::NoGradGuard no_grad;
  SL_ASSERT(gradient.sizes() == weights_[weight].sizes(), "gradient {} of another shape", weight);
  const bool is_first = std::exchange(is_begun_[weight], 1) == 0;
  at::Tensor& sum = sums_[weight];
  if (is_first && !sum.defined()) {
    only_[weight] = gradient.contiguous();
  } else if (is_first) {
    write(gradient, sum);
  } else {
    if (!sum.defined()) {
      sum = at::empty(gradient.sizes(), sum_options(weights_[weight]));
      write(std::exchange(only_[weight], at::Tensor()), sum);
    }
    add_to(sum, gradient);
  }
}

void GradientSums::end() {
  const c10::NoGradGuard no_grad;
  for (size_t i = 0; i < weights_.size(); ++i) {
    at::Tensor only = std::exchange(only_[i], at::Tensor());
    if (is_begun_[i] == 0 && sums_[i].defined()) sums_[i].zero_();
    if (is_begun_[i] == 0 && !sums_[i].defined()) only = at::zeros_like(weights_[i]);
    weights_[i].mutable_grad() = sums_[i].defined() ? sums_[i] : only;
  }
}

}  // namespace sightline
